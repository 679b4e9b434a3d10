//! Settings that identify the program.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::faults::Faults;
use super::names::check_labels;
use super::range::check_range;

/// The labels of `service_info` that users cannot set.
const RESERVED: [&str; 4] = ["version", "healing_enabled", "le", "quantile"];

/// `[service]`: the identity of the program in `service_info`, `/health` and the status page, and
/// when it is ready.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Service {
    /// The name. Default: empty, for the namespace.
    pub name: String,
    /// The version. Default: none.
    pub version: Option<String>,
    /// Additional labels of `service_info`. Default: none.
    pub labels: BTreeMap<String, String>,
    /// Whether the service is not ready until the application calls
    /// [`Selfheal::serving`](crate::Selfheal::serving). Default: `false`.
    pub wait_until_serving: bool,
}

impl Service {
    /// Creates a service of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Sets the version. Default: none.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Adds a label to `service_info`. Default: none.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Whether the service is not ready until the application calls
    /// [`Selfheal::serving`](crate::Selfheal::serving). Default: `false`.
    #[must_use]
    pub fn wait_until_serving(mut self, on: bool) -> Self {
        self.wait_until_serving = on;
        self
    }

    /// Adds every fault; `most` is the length limit of label values in bytes.
    pub(super) fn check(&self, most: usize, faults: &mut Faults) {
        let version = self.version.as_deref().unwrap_or_default();
        for (field, text, most) in [("name", &*self.name, 256), ("version", version, most)] {
            let length = text.len();
            let hint = "give a shorter text";
            check_range(field, &length, &(0..=most), hint, faults);
        }
        check_labels("labels", &self.labels, &RESERVED, most, faults);
    }
}
