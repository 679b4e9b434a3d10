//! Alert receivers: the trait, and the changes delivered to them.

use std::fmt;

use crate::healing::core::Alert;

/// A change of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertChange {
    /// It began to fire, or its severity changed.
    Raised(Alert),
    /// It no longer fires.
    Resolved(Alert),
}

impl AlertChange {
    /// The alert.
    #[must_use]
    pub fn alert(&self) -> &Alert {
        match self {
            Self::Raised(alert) | Self::Resolved(alert) => alert,
        }
    }
}

/// `raised storm: too many components are bad at once`.
impl fmt::Display for AlertChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, alert) = match self {
            Self::Raised(alert) => ("raised", alert),
            Self::Resolved(alert) => ("resolved", alert),
        };
        write!(f, "{word} {}: {}", alert.id, alert.summary)
    }
}

/// Receives every alert, one after another, in a separate task: it may be slow, and its panics are
/// contained. Implemented for closures `Fn(&AlertChange)`, and for `()`, which ignores them.
///
/// An alert is identified by its [`id`](Alert::id): it may be raised repeatedly, and counts as one
/// until it is resolved. Hooks more than a thousand changes behind miss some, counted by
/// `healing_alert_changes_missed_total`; the firing alerts are always in
/// [`Healing::alerts`](super::Healing::alerts).
pub trait AlertHook: Send + Sync + 'static {
    /// Called for each change. It must not block for long.
    fn changed(&self, change: &AlertChange);
}

impl<F: Fn(&AlertChange) + Send + Sync + 'static> AlertHook for F {
    fn changed(&self, change: &AlertChange) {
        self(change);
    }
}

impl AlertHook for () {
    fn changed(&self, _: &AlertChange) {}
}

/// The maximum number of changes waiting for the hooks.
pub(super) const WAITING: usize = 1024;

/// A message to the task that delivers alerts.
pub(super) enum Delivery {
    Change(AlertChange),
    /// Another receiver, which first gets the firing alerts.
    Hook(Box<dyn AlertHook>),
}
