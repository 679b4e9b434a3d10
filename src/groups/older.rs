//! The older names of what healing does, which what the application heals by its own code has as
//! well as what the engine does.

use crate::catalog::Alias;
use crate::config::PLATFORM;

pub(crate) const ALL: &str = "healing_actions_total";
pub(crate) const SUCCEEDED: &str = "healing_actions_succeeded_total";
pub(crate) const FAILED: &str = "healing_actions_failed_total";
pub(crate) const DURATION: &str = "healing_action_duration_seconds";
/// The buckets of the last of them.
pub(crate) const OLDER_BUCKETS: [f64; 7] = [1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];

/// One of these names, by type of action.
pub(crate) fn older(name: &'static str) -> Alias {
    Alias::new(PLATFORM, name).rename("action", "action_type")
}
