#![no_main]

#[path = "../exposition.rs"]
mod exposition;

libfuzzer_sys::fuzz_target!(|text: &str| exposition::exposition(text));
