//! The properties of the fuzz targets of rules, on a bounded number of inputs, the same in each run.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[path = "../fuzz/rules.rs"]
mod shared;

/// The same inputs in each run; `TEST_SEED` gives others.
fn run(cases: u32, inputs: &impl Strategy<Value = String>, property: impl Fn(&str)) {
    let seed = std::env::var("TEST_SEED").map_or(15, |text| text.parse().unwrap());
    println!("TEST_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&u64::to_le_bytes(seed));
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    };
    let mut runner = TestRunner::new_with_rng(config, random);
    let ran = runner.run(inputs, |text| {
        property(&text);
        Ok(())
    });
    ran.unwrap();
}

fn pieces(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        30 => prop::sample::select(pieces).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..most).prop_map(|pieces| pieces.concat())
}

#[test]
fn any_text_is_a_rule_file_or_has_faults_in_its_lines() {
    let rules = pieces(
        &[
            "\n  - alert: A\n    expr: a_total > 1",
            "\n  - record: r\n    expr: rate(a_total[1m])",
            "\n    for: 1m",
            "\n    for: 1x",
            "\n    labels: {severity: page}",
            "\n    labels: {a: '{{'}",
            "\n    annotations: {s: '{{ $value }}'}",
            "\n- name: g\n  rules:",
            "\n- name: h\n  rules:",
            "\n  interval: 15s",
            "\n  limit: 1",
            "\n  query_offset: 1m",
            "\n    keep_firing_for: 5m",
            "\n    expr: sum(",
            "\n    exprs: 1",
            "&a ",
            "*a",
            "<<: ",
            "|\n",
            "\t",
            ": ",
            "- ",
            "\n",
            "{",
            "}",
            "[",
            "]",
            "'",
            "\"",
            "#",
            "é",
            "!!str ",
            "\n  - alert: r\n    expr: r > 0",
        ],
        14,
    );
    let rules = rules.prop_map(|rules| format!("groups:\n- name: a\n  rules:{rules}"));
    run(
        1_500,
        &prop_oneof![4 => rules, 1 => any::<String>()],
        shared::rule_file,
    );
}

#[test]
fn any_template_gives_a_text_that_ends() {
    let templates = pieces(
        &[
            "{{ ",
            " }}",
            "{{- ",
            " -}}",
            "$value",
            "$labels.path",
            "$labels",
            ".",
            "| humanize ",
            "| humanizeDuration ",
            "| printf \"%.2f\" ",
            "printf \"%999999999d\" 1 ",
            "{{ if $value }}",
            "{{ else }}",
            "{{ end }}",
            "{{ range query \"a_total\" }}",
            "{{ with $x := 1 }}",
            "$x := ",
            "first ",
            "query \"a_total\" ",
            "value ",
            "label \"path\" ",
            "reReplaceAll \"(a+)+$\" \"$1$1\" ",
            "{{ define \"t\" }}",
            "{{ template \"t\" . }}",
            "args 1 2 ",
            "\"",
            "`",
            "(",
            ")",
            "1e308 ",
            "-1 ",
            "len ",
            "index ",
            "eq ",
            "gt ",
            "{{ range $i, $e := ",
            "toUpper ",
            "sortByLabel \"path\" ",
            "é",
        ],
        16,
    );
    run(2_000, &templates, shared::template);
}

#[test]
fn any_parameters_have_an_answer() {
    let parameters = pieces(
        &[
            "query=",
            "a_total",
            "rate(a_total%5B5m%5D)",
            "sum(",
            "&",
            "=",
            "time=",
            "1",
            "600",
            "-1",
            "1e99",
            "NaN",
            "start=",
            "end=",
            "step=",
            "15",
            "0",
            "15s",
            "match%5B%5D=",
            "match[]=",
            "{path=~%22.%2B%22}",
            "limit=",
            "timeout=",
            "1ms",
            "%",
            "%zz",
            "%00",
            "+",
            "lookback_delta=",
            "stats=all",
            "2026-01-01T00:00:00Z",
            "type=alert",
            "rule_name[]=",
            "metric=",
            "g",
            "%F0%9F%92%A9",
            "99999999999999999999",
        ],
        14,
    );
    run(400, &parameters, shared::parameters);
}
