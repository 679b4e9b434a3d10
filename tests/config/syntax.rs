//! Invalid TOML, and files that cannot be read.

use std::error::Error as _;
use std::fs;
use std::io::ErrorKind;

use selfheal::config::{Config, ConfigError, Loader};

fn places(text: &str) -> Vec<(usize, usize)> {
    match Config::from_toml_str(text) {
        Err(ConfigError::Syntax { path: None, errors }) => {
            assert!(errors.iter().all(|error| !error.message.is_empty()));
            errors
                .iter()
                .map(|error| (error.line, error.column))
                .collect()
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn the_line_is_reported() {
    assert_eq!(
        places("namespace = 'shop'\n[http\nsample_rate = 1\n"),
        [(2, 6)]
    );
    assert_eq!(places("a = 1\na = 2\n"), [(2, 1)]);
    assert_eq!(places("ä = 1"), [(1, 1)]);
    assert_eq!(places("x = [1, 2").first().map(|place| place.0), Some(1));
}

#[test]
fn several_errors_are_reported_at_once_and_in_order() {
    let places = places("a = \nb = 1\nc = \nd == 2\n");
    let lines: Vec<usize> = places.iter().map(|place| place.0).collect();
    assert_eq!(lines, [1, 3, 4]);
}

#[test]
fn the_message_says_where_and_which_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.toml");
    fs::write(&path, "namespace = 'shop'\n[http\n").unwrap();
    let error = Config::from_file(&path).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("shop.toml` is not valid TOML; fix:\nline 2, column 6: "),
        "{text}"
    );
}

#[test]
fn files_that_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.toml");
    let binary = dir.path().join("binary.toml");
    let large = dir.path().join("large.toml");
    fs::write(&binary, b"namespace = '\xff'").unwrap();
    fs::write(&large, "#".repeat(1024 * 1024 + 1)).unwrap();
    for (file, expected) in [
        (missing.as_path(), ErrorKind::NotFound),
        (binary.as_path(), ErrorKind::InvalidData),
        (large.as_path(), ErrorKind::InvalidData),
    ] {
        let error = Config::from_file(file).unwrap_err();
        assert!(error.source().is_some());
        match error {
            ConfigError::Io { path, source } => {
                assert_eq!((path.as_path(), source.kind()), (file, expected));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_file_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.toml");
    fs::write(&path, "namespace = 'shop'\n").unwrap();
    assert_eq!(
        Config::from_file(&path).unwrap(),
        Config::new().namespace("shop")
    );
}

#[test]
fn later_sources_lie_over_earlier_ones() {
    let config = Loader::new()
        .env([("SELFHEAL_HTTP__SAMPLE_RATE", "0.1")])
        .base(
            Config::new()
                .namespace("builder")
                .global_label("a", "builder"),
        )
        .toml_str("namespace = 'one'\nhttp.sample_rate = 0.2\nhttp.exclude = ['/a', '/b']")
        .toml_str("namespace = 'two'\nhttp.exclude = ['/c']")
        .load()
        .unwrap();
    let mut expected = Config::new().namespace("two").global_label("a", "builder");
    expected.http = expected.http.sample_rate(0.1).exclude("/c");
    assert_eq!(config, expected);
}

#[test]
fn nesting_without_end_is_refused_or_reported() {
    let deep = format!("x = {}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(Config::from_toml_str(&deep).is_err());
    let dotted = format!("{} = 1", vec!["a"; 5_000].join("."));
    assert!(Config::from_toml_str(&dotted).is_err());
}
