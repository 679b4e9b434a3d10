#![no_main]

#[path = "../rules.rs"]
#[allow(dead_code, reason = "each target has one property of it")]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::rule_file(text));
