//! The configuration of the crate: serde data, one file per section, validated as a whole.
//!
//! A [`Config`] is built in code, read from TOML, taken from the environment, or merged from all of
//! these by a [`Loader`]. All faults are reported at once, each with the path of its field, its
//! line or variable, and how to fix it.
//!
//! ```
//! use selfheal::config::{Config, ConfigError, Http};
//!
//! let config = Config::new()
//!     .namespace("shop")
//!     .global_label("env", "production")
//!     .http(Http::new().exclude("/internal/*"))
//!     .overlay_env([("SELFHEAL_HTTP__SAMPLE_RATE", "0.25")])?;
//! assert_eq!(config.http.sample_rate, 0.25);
//!
//! let Err(ConfigError::Invalid(faults)) = config.overlay_env([
//!     ("SELFHEAL_HTTP__SAMPLE_RATE", "1.5"),
//!     ("SELFHEAL_NAMESPCAE", "stall"),
//! ]) else {
//!     panic!("two things are wrong with it");
//! };
//! assert_eq!(
//!     faults.to_string(),
//!     "namespcae (SELFHEAL_NAMESPCAE): no setting has this name; \
//!      did you mean `SELFHEAL_NAMESPACE`?\n\
//!      http.sample_rate (SELFHEAL_HTTP__SAMPLE_RATE): 1.5 is outside 0..=1; \
//!      give the share of requests to record",
//! );
//! # Ok::<(), ConfigError>(())
//! ```
//!
//! # TOML
//! With the feature `toml`, [`Config::from_file`] and [`Config::from_toml_str`] read
//! ```toml
//! namespace = "shop"
//! global_labels = { env = "production" }
//!
//! [http]
//! exclude = ["/internal/*"]
//!
//! [metrics.family.http_request_duration_seconds]
//! buckets = [0.01, 0.1, 1]
//!
//! [server]
//! basic_auth = { username = "prometheus", password = { file = "/run/secrets/scrape" } }
//!
//! [healing.modes]
//! disruptive = "run"
//! ```
//! Keys that a text does not set keep their defaults; a list is replaced as a whole.
//!
//! # Environment
//! A variable is `SELFHEAL_` and the key in capitals, with `__` for each dot:
//! `SELFHEAL_HTTP__SAMPLE_RATE` is `http.sample_rate`. The type of the field decides how the text
//! is parsed: a list is `a,b,c`, a map `a=1,b=2` (or one variable per entry, such as
//! `SELFHEAL_GLOBAL_LABELS__ENV`), a boolean `true`, `false`, `1` or `0`; an empty text is an empty
//! list or map, or "none". A value in quotes is a fault: the shell should have removed them. Keys
//! that need capitals can be set in TOML and code only. An unknown variable with this prefix is a
//! fault, except those that Kubernetes sets for a Service named `selfheal` or `selfheal-…`
//! (`SELFHEAL_PORT=tcp://…`, `SELFHEAL_SERVICE_HOST`), which are ignored. The environment overrides
//! TOML, and TOML overrides code.
//!
//! # All keys
//! Durations are text such as `"250ms"` or a number of seconds (see [`duration`]). A key without a
//! default is optional.
//!
#![doc = include_str!("keys.md")]

// Conventions of a section, so that every fault in it is found and reported with its path:
// - `#[serde(default, deny_unknown_fields)]` on the struct, `Default` as the only place of its
//   defaults; an `Option` field is `None` by default; no `flatten` and no `untagged`, since serde
//   loses the path below them;
// - durations through `duration`;
// - an own `Deserialize` or `FromStr` reports "the problem; how to fix it";
// - `pub(super) fn check(&self, faults: &mut Faults)` adds every fault of the values, with
//   field names relative to the section; it never stops at the first.

mod access;
mod address;
mod assets;
pub mod duration;
mod error;
mod faults;
#[cfg_attr(not(feature = "bcrypt"), path = "not_hashed.rs")]
mod hashed;
mod healing;
mod history;
mod http;
mod journal;
mod loader;
mod metrics;
mod names;
mod native;
mod profiles;
mod quotes;
mod range;
mod root;
mod secret;
mod server;
mod service;
mod settings;
mod suggest;
mod system;
mod tls;
#[cfg(feature = "toml")]
mod toml_text;
mod tree;

pub use access::{Access, Accesses};
pub use address::{Address, AddressError};
pub use assets::{Assets, Objective};
pub use error::{ConfigError, SyntaxError};
pub use faults::{Fault, Faults, Origin};
pub use healing::{
    Approval, Backoff, Budget, Budgets, ByRisk, Confirm, Escalation, Flap, HealingPolicy, Limits,
    Mode, Modes, Override, Recurrence, Severity, Storm, Verify,
};
pub use history::{HistoryScope, HistorySettings};
pub use http::Http;
pub use journal::{Fsync, Journal};
pub use loader::Loader;
pub use metrics::{FamilySettings, Metrics};
pub(crate) use metrics::{LABEL_LIMITS, MAX_LABEL_VALUE};
pub(crate) use names::SERVICE_INFO;
pub use names::{HEALTH_PATH, LIVENESS_PATH, PAGE_PATH, READINESS_PATH};
#[cfg(feature = "server")]
pub(crate) use names::{MAX_PATH, is_beside, is_plain};
pub(crate) use profiles::Known;
#[cfg(feature = "system")]
pub(crate) use profiles::PIPELINE_GUARD;
pub use profiles::PROFILES;
pub(crate) use profiles::{AUTOMATION, INCIDENT_MANAGER, LUMINOUS_NIX, PLATFORM};
pub use root::Config;
pub use secret::Secret;
pub use server::{BasicAuth, Server};
pub use service::Service;
pub use system::System;
pub use tls::Tls;
