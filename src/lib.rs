//! Metrics and self-healing for Rust services: a registry served on `/metrics`, HTTP and gRPC
//! middleware, health endpoints, and a healing engine that restarts tasks and restores files,
//! whose every action is limited, verified, counted and visible.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use selfheal::Config;
//! use selfheal::healing::{Restart, TaskContext};
//!
//! async fn run_mailer(cx: TaskContext) {
//!     while !cx.is_cancelled() {
//!         cx.heartbeat();
//!         tokio::time::sleep(std::time::Duration::from_millis(200)).await;
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let heal = selfheal::install(Config::new().namespace("shop"))?;
//!     heal.supervise("mailer", Restart::Transient, run_mailer).spawn()?;
//!     let app = Router::new()
//!         .route("/orders", get(|| async { "no orders" }))
//!         .merge(heal.router()) // /metrics /health /livez /readyz, and a page at /selfheal
//!         .layer(heal.http_layer()); // after every merge
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:9898").await?;
//!     heal.serving(axum::serve(listener, app)).await?;
//!     heal.shutdown().await;
//!     Ok(())
//! }
//! ```
//!
//! # Modules
//!
//! | module | purpose | feature |
//! |---|---|---|
//! | [`install`], [`Selfheal`] | the handle, which connects everything | |
//! | [`config`] | all settings, from code, TOML and the environment | |
//! | [`registry`] | declaring, recording and reading metrics | |
//! | [`track`] | guards that record an operation, even if it is dropped early | |
//! | [`groups`] | the metric groups that come with this crate, with their trackers | |
//! | [`testing`] | reading and asserting metrics in tests | |
//! | [`http`] | the layer for HTTP servers | `http` |
//! | [`http_client`] | the layer for outgoing requests | `http-client`, `reqwest` |
//! | [`grpc`] | the layers for tonic servers and channels | `grpc` |
//! | [`healing`] | engines, supervised tasks and guarded files; its [guide](healing::guide) | `healing`, `files` |
//! | [`health`] | the health score, reports, readiness and liveness | |
//! | [`server`] | the endpoints and a listener on its own thread | `server` |
//! | [`collect`] | metrics of the process, the machine, the runtime and the build | |
//! | [`encode`] | the exposition formats | |
//! | [`interop`] | bridges to and from the crate `prometheus` | `prometheus` |
//! | [`trace`] | the trace of a request or call as an exemplar | `trace-exemplars` |
//! | [`history`], [`promql`], [`rules`] | recent values in memory, queries over them, Prometheus rule files | `rules` |
//! | [`assets`] | dashboards, rules and deployment files, generated from the catalogue | `assets` |
//! | [`catalog`] | the definition of a metric | |
//! | [`util`] | the injected clock and other helpers | |
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `http` | yes | the layer for HTTP servers |
//! | `server` | yes | `/metrics`, `/health`, `/livez`, `/readyz`, a page and `/api`, as a router or on their own thread |
//! | `healing` | yes | the `HealingEngine` trait, its runtime and journal, supervised tasks |
//! | `files` | yes | guarded files |
//! | `system` | yes | CPU, memory, disks and network of the machine |
//! | `tokio-metrics` | yes, by `healing` | workers, tasks and queue of a tokio runtime |
//! | `prometheus` | yes | bridges between this registry and that of the crate `prometheus` |
//! | `toml` | yes | configuration from a TOML file |
//! | `gzip` | yes | compressed scrapes |
//! | `zstd` | no | scrapes compressed with zstd; builds a C library |
//! | `bcrypt` | no | basic authentication passwords as bcrypt hashes |
//! | `tls` | no | TLS and HTTP/2 on the listener, client certificates |
//! | `http-client` | no | the layer for outgoing requests |
//! | `reqwest` | no | the same for clients of `reqwest` 0.13 |
//! | `grpc` | no | the layers for tonic servers and channels |
//! | `tracing` | no | spans and events of the healing engine |
//! | `trace-exemplars` | no | the trace of a request or call as an exemplar of its duration |
//! | `rules` | no | the in-memory history of the metrics, PromQL over it, and Prometheus rule files |
//! | `assets` | no | dashboards, rules and deployment files of the monitoring stack, generated from the catalogue |
//! | `tsc` | no | the processor's counter as the clock of durations: half the time per reading |
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "assets")]
#[cfg_attr(docsrs, doc(cfg(feature = "assets")))]
pub mod assets;
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
#[cfg(feature = "rules")]
#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
pub use handle::{AlertRule, Alertmanager, LoadRules, OnAlert, Rules, RulesError};
pub use handle::{InstallError, Selfheal, catalogue, install};

/// The examples of the README, compiled with the documentation tests.
#[cfg(all(
    doctest,
    feature = "files",
    feature = "grpc",
    feature = "http",
    feature = "rules",
    feature = "server"
))]
#[doc = include_str!("../README.md")]
struct Readme;
