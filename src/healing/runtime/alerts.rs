//! Who is told of alerts.

use std::fmt;

use tokio::sync::mpsc;

use super::call::guarded;
use super::trace;
use crate::healing::Alert;

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

/// Is told of every alert, one after another, in a task of its own: it may take its time, and
/// its panics are contained. A closure `Fn(&AlertChange)` is one, and so is `()`, which is silent.
///
/// Hooks that are more than a thousand changes behind miss some; what fires now is always in
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

/// Writes each change of an alert to the log: as a `tracing` event with the feature `tracing`,
/// else as a line on standard error.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogAlerts;

impl AlertHook for LogAlerts {
    fn changed(&self, change: &AlertChange) {
        trace::alert(change);
    }
}

/// So many changes may wait for the hooks.
pub(super) const WAITING: usize = 1024;

/// Tells the hooks until nobody sends any more.
pub(super) async fn tell(mut changes: mpsc::Receiver<AlertChange>, hooks: Vec<Box<dyn AlertHook>>) {
    while let Some(change) = changes.recv().await {
        for hook in &hooks {
            // A hook that panics is told the next one as well.
            let _ = guarded(|| hook.changed(&change));
        }
    }
}
