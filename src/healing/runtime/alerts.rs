//! Delivery of alerts to their receivers.

use std::sync::{Arc, Weak};

use tokio::sync::mpsc;

use super::Healing;
use super::alert_hook::{AlertChange, AlertHook, Delivery};
use super::call::guarded;
use super::shell::Shell;
use super::trace;
use crate::healing::core::Alert;

/// Logs each change of an alert: as a `tracing` event with the feature `tracing`, else as a line on
/// standard error.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogAlerts;

impl AlertHook for LogAlerts {
    fn changed(&self, change: &AlertChange) {
        trace::alert(change);
    }
}

/// Delivers to the receivers until the last sender is gone.
pub(super) async fn deliver(
    shell: Weak<Shell>,
    mut news: mpsc::Receiver<Delivery>,
    mut hooks: Vec<Box<dyn AlertHook>>,
) {
    while let Some(news) = news.recv().await {
        match news {
            Delivery::Change(change) => {
                for hook in &hooks {
                    call(&**hook, &change);
                }
            }
            Delivery::Hook(hook) => {
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

/// Calls a receiver; one that panics gets the next change as well.
fn call(hook: &dyn AlertHook, change: &AlertChange) {
    let _ = guarded(|| hook.changed(change));
}

impl Shell {
    /// The firing alerts.
    pub(super) fn firing(&self) -> Vec<Alert> {
        self.owner.read(|state| state.alerts().cloned().collect())
    }
}

impl Healing {
    /// Adds an alert receiver: it gets the firing alerts, then each change.
    pub fn on_alert(&self, hook: impl AlertHook) {
        let (shell, hook) = (Arc::clone(&self.shell), Box::new(hook));
        self.shell.runtime.spawn(async move {
            // The receiver is gone after the end.
            let _ = shell.alerts.send(Delivery::Hook(hook)).await;
        });
    }
}
