//! Who is told of alerts.

use std::fmt;
use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use super::Healing;
use super::call::guarded;
use super::shell::Shell;
use super::trace;
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

/// Is told of every alert, one after another, in a task of its own: it may take its time, and
/// its panics are contained. A closure `Fn(&AlertChange)` is one, and so is `()`, which is silent.
///
/// An alert is known by its [`id`](Alert::id): it may be told as raised more than once, and counts
/// as one until it is resolved. Hooks that are more than a thousand changes behind miss some,
/// which `healing_alert_changes_missed_total` counts; what fires now is always in
/// [`Healing::alerts`].
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

/// What the task that tells the hooks is sent.
pub(super) enum Tell {
    Change(AlertChange),
    /// One more hook, which is told first what fires now.
    Hook(Box<dyn AlertHook>),
}

/// Tells the hooks until nobody sends any more.
pub(super) async fn tell(
    shell: Weak<Shell>,
    mut news: mpsc::Receiver<Tell>,
    mut hooks: Vec<Box<dyn AlertHook>>,
) {
    while let Some(news) = news.recv().await {
        match news {
            Tell::Change(change) => {
                for hook in &hooks {
                    call(&**hook, &change);
                }
            }
            Tell::Hook(hook) => {
                for alert in shell
                    .upgrade()
                    .map(|shell| shell.firing())
                    .unwrap_or_default()
                {
                    call(&*hook, &AlertChange::Raised(alert));
                }
                hooks.push(hook);
            }
        }
    }
}

/// A hook that panics is told the next change as well.
fn call(hook: &dyn AlertHook, change: &AlertChange) {
    let _ = guarded(|| hook.changed(change));
}

impl Shell {
    /// The alerts that fire.
    pub(super) fn firing(&self) -> Vec<Alert> {
        self.owner.read(|state| state.alerts().cloned().collect())
    }
}

impl Healing {
    /// Adds somebody who is told of alerts: first of those that fire now, then of each change.
    pub fn on_alert(&self, hook: impl AlertHook) {
        let (shell, hook) = (Arc::clone(&self.shell), Box::new(hook));
        self.shell.runtime.spawn(async move {
            // Nobody listens any more after the end.
            let _ = shell.alerts.send(Tell::Hook(hook)).await;
        });
    }
}
