//! Bridges in both directions between this crate's registry and those of `prometheus` 0.14, and
//! from other metrics libraries to this crate's.
//!
//! - [`from_prometheus`] and [`from_default`] expose what the application or its dependencies
//!   registered there in our scrape, under unchanged names.
//! - [`from_text`] does the same for every other library that renders Prometheus's text format,
//!   such as `metrics-exporter-prometheus`.
//! - [`to_prometheus`] exposes our metrics in theirs.
//!
//! [`from_prometheus`] and [`to_prometheus`] may be active for the same two registries: each omits
//! what it would get back.
//!
//! ```
//! use selfheal::interop;
//! use selfheal::registry::Registry;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let theirs = prometheus::Registry::new();
//! let old = prometheus::IntCounter::new("orders", "Orders placed")?;
//! theirs.register(Box::new(old.clone()))?;
//! old.inc();
//!
//! let ours = Registry::new();
//! interop::from_prometheus(&ours, &theirs)?;
//! interop::to_prometheus(&ours, &theirs)?;
//! ours.counter("mails_total", "Mails sent").build()?.inc();
//!
//! let here: Vec<_> = ours.gather().iter().map(|f| f.def.name.to_string()).collect();
//! assert_eq!(here, ["mails_total", "orders", "selfheal_prometheus_skipped_total"]);
//! let there: Vec<_> = theirs.gather().iter().map(|f| f.name().to_owned()).collect();
//! assert_eq!(there, here);
//! # Ok(())
//! # }
//! ```
//!
//! # What is lost on the way
//! The other crate has no units, info metrics, exemplars and created time stamps; ours has no
//! sample time stamps. A counter from there whose name does not end in `_total` keeps name and type
//! in the text format. OpenMetrics requires the suffix for counters; there the name is kept too,
//! since dashboards use it, and the type is `unknown`.
//!
//! # The two builds of `prometheus`
//! Any crate of a program can enable `prometheus`'s feature `protobuf`, which changes the types
//! behind [`prometheus::proto`]. This module works in both builds.

mod convert;
mod from;
mod out;
mod proto;
mod text;
mod theirs;
mod to;
mod untyped;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::registry::Registry;

pub use from::{from_default, from_prometheus};
pub use text::from_text;
pub use to::{ExportError, to_prometheus};

/// The catalogue group of metrics from the other crate.
const GROUP: &str = "prometheus";

/// Gathers the metrics of `theirs` that do not come from `ours`. A panic of an application's
/// collector is contained.
fn gather(theirs: &prometheus::Registry, ours: &Registry) -> Vec<prometheus::proto::MetricFamily> {
    // While `ours` counts as collecting, a bridge from it yields nothing.
    let _collecting = ours.enter_collecting();
    catch_unwind(AssertUnwindSafe(|| theirs.gather())).unwrap_or_default()
}
