//! The package of the examples that need features which are not on by default: see its
//! `Cargo.toml`. Only its examples are of use.
