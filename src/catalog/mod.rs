//! What a metric is: its name, kind, unit, help, labels and buckets, stated once.
//!
//! A [`MetricDef`] is made where a metric is declared (see [`crate::registry`]) and is the
//! single source for everything that speaks about the metric: the exposition, the catalogue
//! in the documents, dashboards and rules. Names follow the Prometheus data model and the
//! suffix rules of OpenMetrics 1.0; [`names`] checks them.
//!
//! What follows is every metric that this crate can declare, as `cargo run --all-features --example
//! catalogue -- --markdown` prints it. A label has its values in brackets where they are bounded,
//! and an alias is exposed where its [profile](crate::config::PROFILES) is on.
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
