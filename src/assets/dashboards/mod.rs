//! The tables of dashboards.

mod healing;
mod http;
mod llm;
mod overview;
mod system;
mod work;

use super::table::Dashboard;

/// All dashboards.
pub(super) static DASHBOARDS: &[&Dashboard<'static>] = &[
    &overview::OVERVIEW,
    &http::HTTP,
    &system::SYSTEM,
    &healing::HEALING,
    &llm::MODELS,
    &llm::LLM,
    &work::INCIDENTS,
    &work::PIPELINES,
    &work::TEST_WATCHER,
    &work::AUDIT_AGENT,
    &work::API,
];

/// Colours for a percentage that should be low.
const IS_HIGH: &[(f64, &str)] = &[(0.0, "green"), (80.0, "yellow"), (90.0, "red")];

/// Why a panel on Kubernetes may be empty.
const NO_KUBERNETES: &str = "Only where kube-state-metrics runs, as in Kubernetes.";
