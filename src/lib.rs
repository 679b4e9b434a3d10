//! Measures a Rust service and mends it.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod catalog;
pub mod config;
pub mod encode;
mod handle;
#[cfg(feature = "healing")]
pub mod healing;
pub mod health;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "prometheus")]
pub mod interop;
pub mod registry;
#[cfg(feature = "server")]
pub mod server;
pub mod track;
pub mod util;

pub use config::Config;
pub use handle::{InstallError, Selfheal, install};
