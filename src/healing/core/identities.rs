//! Accounting identities that hold at every scrape.

use std::fmt;

use super::state::Snapshot;

/// A violated identity: two sides that should be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The identity, in words.
    pub identity: &'static str,
    /// Its left side.
    pub left: u64,
    /// Its right side.
    pub right: u64,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ≠ {}", self.identity, self.left, self.right)
    }
}

/// Checks that
///
/// 1. observations = opened + coalesced + muted + dropped,
/// 2. opened + restored = closed + open,
/// 3. attempts started = finished + running,
///
/// each over all results, outcomes and phases.
///
/// ```
/// use std::sync::Arc;
/// use selfheal::config::HealingPolicy;
/// use selfheal::healing::core::{State, identities};
///
/// let state = State::new(Arc::new(HealingPolicy::default()), 1);
/// assert!(identities::check(&state.snapshot()).is_ok());
/// ```
pub fn check(snapshot: &Snapshot) -> Result<(), Vec<Violation>> {
    let seen = &snapshot.observations;
    let sides = [
        (
            "observations = opened + coalesced + muted + dropped",
            seen.total,
            seen.opened + seen.coalesced + seen.muted + seen.dropped.sum(),
        ),
        (
            "opened + restored = closed + open",
            snapshot.opened + snapshot.restored,
            snapshot.closed.sum() + snapshot.open.sum(),
        ),
        (
            "attempts started = finished + running",
            snapshot.attempts_started,
            snapshot.attempts_finished.sum() + snapshot.attempts_running,
        ),
        (
            "observations that opened = issues opened",
            seen.opened,
            snapshot.opened,
        ),
    ];
    let violations: Vec<_> = sides
        .into_iter()
        .filter(|(_, left, right)| left != right)
        .map(|(identity, left, right)| Violation {
            identity,
            left,
            right,
        })
        .collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}
