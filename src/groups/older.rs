//! Older metric names for healing, shared by the application's own healing and the engine.

use crate::catalog::Alias;
use crate::config::PLATFORM;

pub(crate) const ALL: &str = "healing_actions_total";
pub(crate) const SUCCEEDED: &str = "healing_actions_succeeded_total";
pub(crate) const FAILED: &str = "healing_actions_failed_total";
pub(crate) const DURATION: &str = "healing_action_duration_seconds";
/// The buckets of [`DURATION`].
pub(crate) const OLDER_BUCKETS: [f64; 7] = [1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// An alias with one of these names, by type of action.
pub(crate) fn older(name: &'static str) -> Alias {
    Alias::new(PLATFORM, name).rename("action", "action_type")
}
