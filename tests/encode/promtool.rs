//! The reference parser, through promtool.

use selfheal::encode::{Format, append};
use selfheal::registry::{Registry, Text};

use crate::support::promtool::check_metrics;

#[test]
#[ignore = "needs promtool, which tests/all.sh brings"]
fn promtool_reads_any_text_and_finds_nothing_to_lint() {
    let registry = Registry::new();
    let orders = registry
        .float_counter(
            "sales_usd_total",
            "Sales, \"all\" of them\nin C:\\shop \r or ä",
        )
        .labels::<[Text; 1]>(["place"])
        .unwrap();
    for character in (0..0x180).filter_map(char::from_u32) {
        orders.add(
            &[format!("a{character}b")],
            f64::from(u32::from(character)) + 0.5,
        );
    }
    let latency = registry
        .histogram("latency_seconds", "Time to answer")
        .buckets(&[1e-9, 0.001, 1.0, 1e6])
        .labels::<[Text; 1]>(["place"])
        .unwrap();
    latency.observe(&["\\\n\"}"], 1e300);
    let level = registry
        .float_gauge("level_ratio", "Any number")
        .labels::<[Text; 1]>(["n"])
        .unwrap();
    for number in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        f64::MAX,
        5e-324,
    ] {
        level.set(&[number.to_string()], number);
    }
    let mut page = Vec::new();
    append(&registry.scrape(), Format::TEXT, &mut page);
    let verdict = check_metrics(&String::from_utf8(page).unwrap());
    assert!(verdict.passed(), "{}", verdict.output);
}
