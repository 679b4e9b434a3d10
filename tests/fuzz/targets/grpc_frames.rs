#![no_main]

#[path = "../grpc.rs"]
#[allow(dead_code, reason = "each target has one property of it")]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::frames(bytes));
