//! The monitoring stack that is generated: that it names what is exposed, that the real tools take
//! it, and how it is written.

#![cfg(all(
    feature = "assets",
    feature = "files",
    feature = "grpc",
    feature = "http",
    feature = "http-client",
    feature = "server",
    feature = "system",
    feature = "toml"
))]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

mod annotations;
#[path = "../promql/differential/compare.rs"]
mod compare;
mod faults;
mod golden;
mod names;
mod own;
mod picture;
mod promtool;
mod queries;
mod served;
mod settings;
mod stack;
#[path = "../support/mod.rs"]
mod support;
mod writing;

use selfheal::assets::Stack;
use selfheal::util::Clock;
use selfheal::{Config, Selfheal};

/// A service as it may be configured.
fn shop() -> Config {
    Config::new()
        .namespace("shop")
        .global_label("env", "production")
}

fn generated(config: Config) -> Stack {
    let heal = Selfheal::with_clock(config, Clock::manual().0).unwrap();
    heal.assets().unwrap()
}
