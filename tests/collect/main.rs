//! The collectors, through the registry that they are switched on in.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]
#![allow(
    clippy::float_cmp,
    reason = "what is read back must be the same number, not one near it"
)]

#[path = "../support/mod.rs"]
mod support;

mod off;
mod promtool;
#[cfg(feature = "tokio-metrics")]
mod runtime;
mod service;
#[cfg(feature = "system")]
mod system;

use selfheal::encode::{Encoding, Format, encode};
use selfheal::registry::Registry;

/// The page that a scraper sees.
fn page(registry: &Registry, format: Format) -> String {
    let mut page = Vec::new();
    encode(&registry.scrape(), format, Encoding::Identity, &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

/// The number behind a series, named as on the page: `name{labels}`.
fn number(registry: &Registry, series: &str) -> Option<f64> {
    let page = page(registry, Format::TEXT);
    let mut found = page
        .lines()
        .filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let number = found.next()?.parse().unwrap();
    assert_eq!(found.next(), None, "{series} occurs twice:\n{page}");
    Some(number)
}
