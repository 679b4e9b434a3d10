//! Ready-made metric groups, with a tracker for each kind of work.
//!
//! Each file declares one group, a line per metric, and what its trackers record at the start and
//! end of a piece of work. Applications can define their own the same way, with
//! [`group!`](crate::group!) and [`tracker!`](crate::tracker!). A group costs nothing until it is
//! used.
//!
//! | group | trackers | for |
//! |---|---|---|
//! | [`LlmMetrics`] | [`LlmCall`] | calls to language models |
//! | [`ApiMetrics`] | [`ApiCall`] | calls to other services |
//! | [`IncidentMetrics`] | [`Incident`] | incidents |
//! | [`PlaybookMetrics`] | [`PlaybookRun`] | playbooks |
//! | [`NotificationMetrics`] | [`Delivery`] | notifications |
//! | [`StorageMetrics`] | [`StorageOperation`] | storage |
//! | [`PipelineMetrics`] | [`PipelineRun`], [`PipelineHealing`] | pipelines and their healing |
//! | [`ModelMetrics`] | [`InferenceRun`], [`TrainingRun`] | models |
//! | [`TestWatcherMetrics`] | [`WatchedFile`], [`TestRun`] | a test watcher |
//! | [`AuditMetrics`] | [`AuditRun`] | an audit agent |
//! | [`BridgeMetrics`] | [`BridgeCall`] | blocking code that calls async code |
//! | [`ActionMetrics`] | [`HealingAction`] | anomalies, and what the application heals itself |
//! | [`ErrorMetrics`] | | errors by component and type |
//!
//! Use a [`Recorder`] for work that is reported only after it is over; [`migration`] maps calls of
//! other metrics modules.
//!
//! ```
//! use selfheal::groups::{ErrorMetrics, Incident};
//! use selfheal::registry::{DeclareError, Registry};
//!
//! # fn main() -> Result<(), DeclareError> {
//! let registry = Registry::new();
//! let incident = Incident::start_in(&registry, "critical");
//! incident.escalated("on-call");
//! incident.success();
//! registry.group::<ErrorMetrics>()?.errors.inc(&("checkout", "timeout"));
//! # Ok(())
//! # }
//! ```

mod api;
mod audit;
mod bridge;
mod errors;
mod healing;
mod incidents;
mod llm;
pub mod migration;
mod models;
mod notifications;
#[cfg_attr(
    not(feature = "healing"),
    allow(dead_code, reason = "read by the engine")
)]
pub(crate) mod older;
mod pipelines;
mod playbooks;
mod recorder;
mod storage;
mod test_watcher;

pub use api::{Api, ApiCall, ApiMetrics};
pub use audit::{Audit, AuditMetrics, AuditRun};
pub use bridge::{Bridge, BridgeCall, BridgeMetrics};
pub use errors::ErrorMetrics;
pub use healing::{Action, ActionMetrics, HealingAction};
pub use incidents::{Incident, IncidentKind, IncidentMetrics};
pub use llm::{Llm, LlmCall, LlmMetrics};
pub use models::{Inference, InferenceRun, ModelMetrics, Training, TrainingRun};
pub use notifications::{Delivery, Notification, NotificationMetrics};
pub use pipelines::{Pipeline, PipelineHeal, PipelineHealing, PipelineMetrics, PipelineRun};
pub use playbooks::{Playbook, PlaybookMetrics, PlaybookRun};
pub use recorder::Recorder;
pub use storage::{Storage, StorageMetrics, StorageOperation};
pub use test_watcher::{TestRun, TestRunKind, TestWatcherMetrics, WatchedFile, WatchedFileKind};

use crate::registry::{DeclareError, Registry};

/// The error type of a rate-limited call.
pub(crate) const RATE_LIMIT: &str = "rate_limit";

/// Buckets for work of a tenth of a second to an hour.
const LONG: [f64; 11] = [
    0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 300.0, 600.0, 1_800.0, 3_600.0,
];

/// Declares every group of this module, for a complete catalogue.
///
/// # Errors
/// The first declaration that failed.
pub fn declare_all(registry: &Registry) -> Result<(), DeclareError> {
    macro_rules! groups {
        ($($Group:ident)+) => { $(registry.group::<$Group>()?;)+ };
    }
    groups!(
        ActionMetrics ApiMetrics AuditMetrics BridgeMetrics ErrorMetrics IncidentMetrics LlmMetrics
        ModelMetrics NotificationMetrics PipelineMetrics PlaybookMetrics StorageMetrics
        TestWatcherMetrics
    );
    Ok(())
}
