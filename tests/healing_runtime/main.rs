//! The healing engine under faults: what breaks is real, time is tokio's paused clock where it
//! can be. Every test ends, and is scraped in between, with the identities holding.
#![cfg(feature = "healing")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

mod actions;
mod bench;
mod chaos;
mod control;
mod crash;
mod detectors;
mod disk;
mod escalation;
#[cfg(feature = "files")]
mod files;
mod journal;
mod load;
mod shutdown;
