#![no_main]

#[path = "../listener.rs"]
mod listener;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| listener::connection(bytes));
