//! What a metric is: its name, kind, unit, help, labels and buckets, stated once.
//!
//! A [`MetricDef`] is made where a metric is declared (see [`crate::registry`]) and is the
//! single source for everything that speaks about the metric: the exposition, the catalogue
//! in the documents, dashboards and rules. Names follow the Prometheus data model and the
//! suffix rules of OpenMetrics 1.0; [`names`] checks them.

mod alias;
mod def;
pub mod names;
mod native;

pub use alias::{Alias, Relabel};
pub use def::{Allowed, Kind, MetricDef, OTHER, Unit};
pub use native::Native;
