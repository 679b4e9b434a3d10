//! Reads `prometheus::proto` in either of its two builds.
//!
//! The messages are plain structs, or generated ones if any crate of the program enables
//! `prometheus`'s feature `protobuf`; the getters then differ, which no `cfg` can detect. Method
//! resolution can: an inherent method has priority over a trait method, so a trait adds exactly
//! what a build lacks.

use prometheus::proto::{Counter, Gauge, Metric};

// Adds the method that the generated build lacks.
#[allow(unused_imports, reason = "shadowed in the plain build")]
use super::untyped::GetUntyped;

pub(super) fn counter(metric: &Metric) -> f64 {
    metric.get_counter().value()
}

pub(super) fn gauge(metric: &Metric) -> f64 {
    metric.get_gauge().value()
}

// Deprecated in the plain build without a replacement.
#[allow(deprecated)]
pub(super) fn untyped(metric: &Metric) -> f64 {
    metric.get_untyped().get_value()
}

/// Each is inherent in one build and calls the inherent method in the other.
#[allow(dead_code, reason = "one of the two is shadowed in each build")]
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
