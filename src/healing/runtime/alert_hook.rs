//! Alert receivers: the trait, and what is delivered.

use std::fmt;

use crate::healing::core::Alert;

/// An alert began or ceased to fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertChange {
    /// It fires, or its severity changed.
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

/// Receives every alert, one after another, in a task of its own: it may take its time, and
/// its panics are contained. A closure `Fn(&AlertChange)` is one, and so is `()`, which is silent.
///
/// An alert is known by its [`id`](Alert::id): it may be raised more than once, and counts
/// as one until it is resolved. Hooks that are more than a thousand changes behind miss some,
/// which `healing_alert_changes_missed_total` counts; what fires now is always in
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

/// So many changes may wait for the hooks.
pub(super) const WAITING: usize = 1024;

/// What the task that delivers alerts is sent.
pub(super) enum Delivery {
    Change(AlertChange),
    /// One more receiver, which first gets what fires now.
    Hook(Box<dyn AlertHook>),
}
