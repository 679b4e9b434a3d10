//! Reading `prometheus::proto` in either of its two builds.
//!
//! The messages are plain structs, or generated ones where any crate of the program switches
//! on `prometheus`'s feature `protobuf`; then the getters differ, and nothing reports that at
//! compile time. Method resolution does: an inherent method goes before a method of a trait,
//! so a trait stands in exactly for what a build lacks.

use prometheus::proto::{Counter, Gauge, Metric};

// Brings the method that the generated build lacks.
#[allow(unused_imports, reason = "shadowed in the plain build")]
use super::untyped::GetUntyped;

pub(super) fn counter(metric: &Metric) -> f64 {
    metric.get_counter().value()
}

pub(super) fn gauge(metric: &Metric) -> f64 {
    metric.get_gauge().value()
}

// Deprecated in the plain build, with nothing in its place.
#[allow(deprecated)]
pub(super) fn untyped(metric: &Metric) -> f64 {
    metric.get_untyped().get_value()
}

/// Each of the two is inherent in one build and calls the inherent one in the other.
#[allow(dead_code, reason = "in each build one of the two is shadowed")]
trait EitherBuild {
    fn value(&self) -> f64;
    fn get_value(&self) -> f64;
}

impl EitherBuild for Counter {
    fn value(&self) -> f64 {
        self.get_value()
    }
    fn get_value(&self) -> f64 {
        self.value()
    }
}

impl EitherBuild for Gauge {
    fn value(&self) -> f64 {
        self.get_value()
    }
    fn get_value(&self) -> f64 {
        self.value()
    }
}
