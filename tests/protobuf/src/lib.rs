//! Holds tests only; see `tests/interop.rs` one level up.
