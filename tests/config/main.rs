//! Configuration from every source: what is read, what is refused and in which words.

#![cfg(feature = "toml")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

mod builder;
mod env;
mod faults;
mod foreign;
mod keys;
mod mistyped;
mod paths;
mod roundtrip;
mod secrets;
mod syntax;

use selfheal::config::{Config, ConfigError, Loader};

type Variables<'a> = &'a [(&'a str, &'a str)];

/// Loads a text under variables that stand for the whole environment.
fn load(text: &str, variables: Variables<'_>) -> Result<Config, ConfigError> {
    Loader::new()
        .toml_str(text)
        .env(variables.iter().copied())
        .load()
}

/// The faults of a refused configuration, line by line.
fn reported(result: Result<Config, ConfigError>) -> Vec<String> {
    match result {
        Err(ConfigError::Invalid(faults)) => faults.iter().map(ToString::to_string).collect(),
        Err(other) => panic!("not a list of faults: {other}"),
        Ok(_) => Vec::new(),
    }
}
