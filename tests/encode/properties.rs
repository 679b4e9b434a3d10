//! The properties of the fuzz targets, on a bounded number of inputs.

use proptest::prelude::*;

#[path = "../fuzz/properties.rs"]
mod shared;

#[path = "../fuzz/exposition.rs"]
mod exposition;

/// A header put together from what headers are made of, and from anything.
fn header() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        8 => prop::sample::select(vec![
            "text/plain", "text/*", "*/*", "application/openmetrics-text", "application/*", "*",
            "application/vnd.google.protobuf", "proto=io.prometheus.client.MetricFamily",
            "encoding=delimited", "version=1.0.0", "version=0.0.4", "escaping=dots", "gzip", "zstd",
            "identity", "q=0", "q=0.5", "q=1", "q=", ",", ",", ";", ";", ";", " ", "\"", "\\", "=",
        ])
        .prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

/// Lines of a name and labels, put together from what those are made of, and from anything.
fn page() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        12 => prop::sample::select(vec![
            "a", "b_total", "_total", "_info", "c", "zone", "é", ".", ":", "9", "_", "-", " ", " ",
            "=\"", "=\"", "\"", "\",", ",", "\\", "\\n", "\\\"", "{", "}", "} 1", "#", "\u{2028}",
            "\n", "\n", "\n", "__name__", "\0",
        ])
        .prop_map(str::to_owned),
        4 => prop::sample::select(vec![
            " a=\"x\"", " zone=\"y\"", ",b=\"\\n\"", ",a.b=\"\"", " a=\"\u{2028}\"", " é=\"{\"",
        ])
        .prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(part, 0..30).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn negotiation(header in header()) {
        shared::negotiation(&header);
    }

    #[test]
    fn escaping(value in prop_oneof![any::<String>(), "[a\\\\\"\n,=]{0,12}"]) {
        shared::escaping(&value);
    }

    #[test]
    fn pages(page in page()) {
        exposition::exposition(&page);
    }

    #[test]
    fn names(name in prop_oneof![any::<String>(), "_{0,2}[a-z0-9_:.-]{0,6}", "[a_]{195,205}"]) {
        shared::names(&name);
    }
}
