//! The dashboards, a table for each.

mod overview;

use super::table::Dashboard;

/// Every dashboard.
pub(super) static DASHBOARDS: &[&Dashboard] = &[&overview::OVERVIEW];

/// Colours of a share in percent that is better low.
const IS_HIGH: &[(f64, &str)] = &[(0.0, "green"), (80.0, "yellow"), (90.0, "red")];

/// Why a panel on Kubernetes may be empty.
const NO_KUBERNETES: &str = "Outside of Kubernetes, kube-state-metrics is not there.";
