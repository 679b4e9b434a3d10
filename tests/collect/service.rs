use std::time::Duration;

use selfheal::collect::{BuildInfo, ServiceInfo, service};
use selfheal::encode::Format;
use selfheal::registry::{DeclareError, Registry};
use selfheal::util::Clock;

use crate::{number, page};

#[test]
fn it_says_what_it_is() {
    let registry = Registry::new();
    let build = BuildInfo::new("1.2.3")
        .commit(&[None, Some(""), Some("abc"), Some("later")])
        .timestamp(&[None]);
    let info = ServiceInfo::new(build)
        .healing_enabled(true)
        .label("team", "check\"out");
    service(&registry, &Clock::system(), &info).unwrap();
    let text = page(&registry, Format::TEXT);
    for line in [
        r#"service_info{version="1.2.3",healing_enabled="true",team="check\"out"} 1"#,
        r#"build_info{version="1.2.3",commit="abc",timestamp="unknown"} 1"#,
        "# TYPE service_info gauge",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line} in\n{text}");
    }
    let openmetrics = page(&registry, Format::OPEN_METRICS);
    assert!(
        openmetrics.contains("# TYPE service info\n"),
        "{openmetrics}"
    );
}

#[test]
fn a_build_fills_itself_in() {
    let registry = Registry::new();
    let info = ServiceInfo::new(selfheal::build_info!()).version("9");
    service(&registry, &Clock::system(), &info).unwrap();
    let text = page(&registry, Format::TEXT);
    // This test is part of the crate, so its version is the crate's.
    let build = format!(
        "build_info{{version=\"{}\",commit=\"",
        env!("CARGO_PKG_VERSION")
    );
    assert!(text.contains(&build), "{text}");
    assert!(text.contains("service_info{version=\"9\",healing_enabled=\"false\"} 1\n"));
}

#[test]
fn uptime_is_reported_by_the_clock_that_was_handed_in() {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let info = ServiceInfo::new(BuildInfo::new("1"));
    service(&registry, &clock, &info).unwrap();
    assert_eq!(number(&registry, "uptime_seconds"), Some(0.0));
    hand.advance(Duration::from_millis(90_500));
    assert_eq!(number(&registry, "uptime_seconds"), Some(90.5));
    assert_eq!(number(&registry, "uptime_seconds_total"), Some(90.5));
    hand.set_wall(std::time::SystemTime::UNIX_EPOCH);
    assert_eq!(number(&registry, "uptime_seconds"), Some(90.5));

    // Called again, as a second installation on the same registry does: the last call counts.
    service(&registry, &clock, &info.version("2")).unwrap();
    assert_eq!(number(&registry, "uptime_seconds"), Some(0.0));
    let two = r#"service_info{version="2",healing_enabled="false"}"#;
    assert_eq!(number(&registry, two), Some(1.0));
}

#[test]
fn uptime_is_two_families_in_openmetrics_too() {
    let registry = Registry::new();
    service(
        &registry,
        &Clock::system(),
        &ServiceInfo::new(BuildInfo::new("1")),
    )
    .unwrap();
    let text = page(&registry, Format::OPEN_METRICS);
    let mut families: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let all = families.len();
    families.sort_unstable();
    families.dedup();
    assert_eq!(families.len(), all, "{text}");
    assert!(text.contains("\nuptime_seconds_total "), "{text}");
}

#[test]
fn a_bad_label_is_an_error_and_changes_nothing() {
    let registry = Registry::new();
    let clock = Clock::system();
    let good = ServiceInfo::new(BuildInfo::new("1"));
    service(&registry, &clock, &good).unwrap();
    for bad in ["version", "healing_enabled", "a-b", "", "__a", "le"] {
        let info = good.clone().version("2").label(bad, "x");
        let error = service(&registry, &clock, &info).unwrap_err();
        assert!(matches!(error, DeclareError::Label { .. }), "{error}");
        assert!(error.to_string().contains("service_info"), "{error}");
    }
    let twice = good.label("team", "a").label("team", "b");
    assert!(service(&registry, &clock, &twice).is_err());
    let one = r#"service_info{version="1",healing_enabled="false"}"#;
    assert_eq!(number(&registry, one), Some(1.0));
}

#[test]
fn many_threads_may_switch_it_on_at_once() {
    let registry = Registry::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let info = ServiceInfo::new(BuildInfo::new("1"));
                service(&registry, &Clock::system(), &info).unwrap();
                selfheal::collect::process(&registry).unwrap();
            });
        }
    });
    assert!(number(&registry, "uptime_seconds").is_some());
}
