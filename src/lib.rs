//! Measures a Rust service and mends it.
//!
//! One dependency, wrapped round an existing axum router: a global registry served on
//! `/metrics`, HTTP and gRPC middleware, RAII trackers called from application code, and a
//! healing engine whose every action is counted, timed, verified and visible.
//!
//! # Where things are
//!
//! | room | what it is for |
//! |---|---|
//! | [`install`], [`Selfheal`] | the handle that wires everything |
//! | [`registry`] | declaring, recording and reading metrics |
//! | [`catalog`] | what a metric is, stated once |
//! | [`encode`] | the exposition formats |
//! | [`track`] | RAII trackers |
//! | [`groups`] | the metric groups that come with this crate, with their trackers |
//! | [`health`] | the health score and reports |
//! | [`config`] | everything that can be set |
//! | [`testing`] | reading and asserting metrics in tests |
//! | [`util`] | the injected clock and other small tools |
//!
//! Rooms behind a feature: `http` (tower layer), `http_client` (tower layer for outgoing
//! requests), `grpc` (tower layer for tonic), `healing` (the engine trait, its run-time, guarded
//! files and supervised tasks), `server` (the endpoints and a listener), `collect` (process,
//! system and run-time figures), `interop` (the `prometheus` crate), `trace` (exemplars).
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `http` | yes | the HTTP layer |
//! | `trace-exemplars` | no | the trace of a request or call as an exemplar of its duration |
//! | `http-client` | no | the layer for outgoing requests |
//! | `reqwest` | no | the same for clients of `reqwest` 0.13 |
//! | `server` | yes | `/metrics`, `/health`, `/livez`, `/readyz` and a page, as a router or on a thread of their own |
//! | `healing` | yes | the `HealingEngine` trait, its run-time, supervised tasks |
//! | `tracing` | no | spans and events of the healing engine |
//! | `files` | yes | guarded files |
//! | `system` | yes | CPU, memory, disks and network of the machine |
//! | `prometheus` | yes | both directions between this registry and the `prometheus` crate's |
//! | `toml` | yes | configuration from a TOML file |
//! | `gzip` | yes | compressed scrapes |
//! | `zstd` | no | scrapes compressed better and faster; builds a C library |
//! | `rules` | no | the recent past of the metrics in memory, PromQL over it, and Prometheus rule files |
//! | `grpc` | no | tower layers for tonic's servers and channels |
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod catalog;
pub mod collect;
pub mod config;
pub mod encode;
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
mod exchange;
pub mod groups;
#[cfg(feature = "grpc")]
pub mod grpc;
mod handle;
#[cfg(feature = "healing")]
pub mod healing;
pub mod health;
#[cfg(feature = "rules")]
#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
pub mod history;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "http-client")]
pub mod http_client;
#[cfg(feature = "prometheus")]
pub mod interop;
#[cfg(feature = "rules")]
#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
pub mod promql;
pub mod registry;
#[cfg(feature = "rules")]
#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
pub mod rules;
#[cfg(feature = "server")]
pub mod server;
pub mod testing;
#[cfg(feature = "trace-exemplars")]
pub mod trace;
#[cfg(all(
    not(feature = "trace-exemplars"),
    any(feature = "http", feature = "http-client", feature = "grpc")
))]
#[path = "trace/off.rs"]
mod trace;
pub mod track;
pub mod util;

pub use config::Config;
#[cfg(feature = "healing")]
#[cfg_attr(docsrs, doc(cfg(feature = "healing")))]
pub use handle::ReloadError;
pub use handle::{InstallError, Selfheal, catalogue, install};

/// The examples of the README, compiled with the documentation tests.
#[cfg(all(doctest, feature = "files", feature = "http", feature = "server"))]
#[doc = include_str!("../README.md")]
struct Readme;
