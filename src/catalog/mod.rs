//! Definitions of metrics: name, kind, unit, help, labels and buckets, stated once.
//!
//! A [`MetricDef`] is made by a metric's declaration (see [`crate::registry`]) and is the single
//! source for everything about the metric: the exposition, the catalogue in the documentation,
//! dashboards and rules. Names follow the Prometheus data model and the suffix rules of OpenMetrics
//! 1.0; [`names`] checks them.
//!
//! Below is every metric that this crate can declare, as printed by `cargo run --all-features
//! --example catalogue -- --markdown`. A label has its values in brackets if they are bounded, and
//! an alias is exposed if its [profile](crate::config::PROFILES) is enabled.
//!
#![doc = include_str!("../docs/catalogue.md")]

mod alias;
mod def;
mod markdown;
pub mod names;
mod native;

pub use alias::{Alias, Relabel};
pub use def::{Allowed, Kind, MetricDef, OTHER, Unit};
pub use markdown::markdown;
pub use native::Native;
