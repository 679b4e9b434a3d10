//! The rules about what stands in text: addresses and metric names.

use std::collections::BTreeMap;

use crate::lexer::words;
use crate::rules::{count, in_src};
use crate::source::{Source, of_files};

/// Addresses that let in the whole network: the default is loopback, and only an operator
/// chooses another. Prose that mentions such an address is fine.
pub(crate) fn open_to_all(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources
        .iter()
        .filter(|source| !source.path.starts_with("tests/"))
    {
        let literals = source.strings.iter().filter(|literal| {
            let text = literal.text.trim_start_matches("http://");
            text.starts_with("0.0.0.0") || text.starts_with("[::]") || text == "::"
        });
        let mut places: Vec<usize> = literals.map(|literal| literal.at).collect();
        let constants = words(&source.code).filter(|(_, word)| *word == "UNSPECIFIED");
        places.extend(constants.map(|(at, _)| at));
        for numbers in ["([0, 0, 0, 0], ", "Ipv4Addr::new(0, 0, 0, 0)"] {
            places.extend(source.code.match_indices(numbers).map(|(at, _)| at));
        }
        found.extend(places.into_iter().map(|at| {
            format!(
                "{}: an address of every interface: bind to loopback",
                source.place(at)
            )
        }));
    }
    found
}

/// Metric names that are written more than once in the code of the crate: a name belongs to its
/// declaration, and everybody else reads it from there.
///
/// A metric name is the first text of a call that declares one, and any that ends in `_total`.
pub(crate) fn named_twice(sources: &[Source]) -> Vec<String> {
    let mut declared: Vec<&str> = Vec::new();
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for source in in_src(sources) {
        // The tables of the generated files have expressions; a test looks up each name in them and
        // fails on an undeclared one.
        if source.path.starts_with("src/assets/") {
            continue;
        }
        for literal in &source.strings {
            let name = literal.text.as_str();
            if is_declared_at(&source.code, literal.at) || is_counter_name(name) {
                declared.push(name);
            }
            places
                .entry(name)
                .or_default()
                .push(source.place(literal.at));
        }
    }
    places.retain(|name, places| places.len() > 1 && declared.contains(name));
    let faults = places.into_iter().map(|(name, places)| {
        format!(
            "{}: the metric name `{name}` is written more than once",
            places.join(", ")
        )
    });
    faults.collect()
}

fn is_counter_name(text: &str) -> bool {
    text.strip_suffix("_total").is_some_and(|stem| {
        stem.starts_with(|c: char| c.is_ascii_lowercase())
            && stem
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    })
}

/// Whether the literal whose text starts at `at` is the name in a call such as
/// `registry.counter("…"` or `MetricDef::new(Kind::Gauge, "…"`, or in a line of `group!`.
fn is_declared_at(code: &str, at: usize) -> bool {
    const KINDS: [&str; 4] = ["counter", "gauge", "histogram", "info"];
    let Some(before) = code[..at].strip_suffix('"').map(str::trim_end) else {
        return false;
    };
    let last = |text: &str| {
        let mut words = text.rsplit(|c: char| !c.is_alphanumeric() && c != '_');
        words.next().unwrap_or_default().to_owned()
    };
    if let Some(call) = before.strip_suffix('(') {
        let name = last(call);
        return KINDS.iter().any(|kind| name.ends_with(kind));
    }
    // `depth: Gauge = "…"`, a line of a group.
    if let Some(field) = before.strip_suffix('=') {
        let field = field.trim_end();
        let kind = last(field);
        // Unlike `Info = "…"`, a variant and its text.
        let has_type = field
            .strip_suffix(&*kind)
            .is_some_and(|name| name.trim_end().ends_with(':'));
        let kind = kind.to_ascii_lowercase();
        return has_type && KINDS.iter().any(|declared| kind.ends_with(declared));
    }
    let first = before
        .strip_suffix(',')
        .and_then(|before| before.rsplit_once('('));
    first.is_some_and(|(call, argument)| {
        call.trim_end().ends_with("MetricDef::new") && !argument.contains(',')
    })
}

#[test]
fn an_address_of_every_interface_is_found() {
    for bad in [
        "\"0.0.0.0:9898\"",
        "\"http://0.0.0.0/\"",
        "\"[::]:80\"",
        "\"::\"",
        "Ipv4Addr::UNSPECIFIED",
        "([0, 0, 0, 0], 80)",
        "Ipv4Addr::new(0, 0, 0, 0)",
    ] {
        let text = format!("fn f() {{ bind({bad}) }}");
        assert_eq!(count(open_to_all, "src/a.rs", &text), 1, "{bad}");
        assert_eq!(count(open_to_all, "examples/a.rs", &text), 1, "{bad}");
    }
    for good in [
        "\"127.0.0.1:0\"",
        "// 0.0.0.0",
        "\"[::1]:80\"",
        "\"not on 0.0.0.0\"",
        "\"a::b\"",
    ] {
        assert_eq!(count(open_to_all, "src/a.rs", good), 0, "{good}");
    }
}

#[test]
fn a_metric_name_is_written_once() {
    for bad in [
        "r.counter(\"a_total\", \"A\"); r.counter(\"a_total\", \"A\");",
        "r.gauge(\n  \"depth\",\n  \"A\",\n); show(\"depth\");",
        "r.float_gauge(\"depth\", \"A\"); show(\"depth\");",
        "MetricDef::new(\n  Kind::Gauge,\n  \"depth\",\n  \"A\"); show(\"depth\");",
        "by_metric(\"a_total\"); show(\"a_total\");",
        "group! { struct A: \"a\" { depth: FloatGauge = \"depth\" [\"b\"]; } } show(\"depth\");",
        "group! { struct A: \"a\" { took: Histogram = \"took\"; } } show(\"took\");",
    ] {
        assert_eq!(count(named_twice, "src/a.rs", bad), 1, "{bad}");
    }
    for good in [
        "r.counter(\"a_total\", \"A\"); r.counter(\"b_total\", \"A\"); // \"a_total\"",
        "l(\"method\"); l(\"method\"); ends_with(\"_total\"); ends_with(\"_total\");",
        "let a: &str = \"depth\"; show(\"depth\");",
        "r.gauge(\"depth\", \"Same help\"); r.gauge(\"width\", \"Same help\");",
        "r.gauge(\"depth\", \"A\");\n#[cfg(test)]\nmod t { fn f() { show(\"depth\") } }",
    ] {
        assert_eq!(count(named_twice, "src/a.rs", good), 0, "{good}");
    }
    let two = [
        ("src/a.rs", "r.gauge(\"depth\", \"A\")"),
        ("src/b.rs", "show(\"depth\")"),
    ];
    let faults = named_twice(&of_files(&two));
    assert_eq!(
        faults,
        ["src/a.rs:1, src/b.rs:1: the metric name `depth` is written more than once"]
    );
}
