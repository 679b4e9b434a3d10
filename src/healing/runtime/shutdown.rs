//! Shutdown: nothing starts, running attempts are cancelled, open issues are recorded.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::call::run;
use super::shell::{Shell, Stage};
use super::slots::Slot;
use crate::healing::core::Event;
use crate::healing::engine::Context;

/// Time limit for writing the last records, regardless of the grace.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The result of a shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Attempts and rollbacks that had not ended when the grace was over. The journal has their
    /// intent: the next start counts them as interrupted.
    pub unfinished: u64,
    /// Attempts and rollbacks that were abandoned earlier and still run.
    pub zombies: u64,
}

impl ShutdownReport {
    /// Whether no attempt was left running.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.unfinished == 0 && self.zombies == 0
    }
}

impl Shell {
    pub(super) async fn shut_down(self: &Arc<Self>, grace: Duration) -> ShutdownReport {
        let first = self.stage.send_if_modified(|stage| {
            *stage == Stage::Running && {
                *stage = Stage::Stopping;
                true
            }
        });
        if first {
            // A separate task, which goes on if the caller is cancelled.
            self.runtime.spawn(end(Over(Arc::clone(self)), grace));
        }
        let mut stage = self.stage.subscribe();
        let _ = stage.wait_for(|stage| *stage == Stage::Closed).await;
        let last = self.owner.read(crate::healing::core::State::snapshot);
        ShutdownReport {
            unfinished: last.attempts_running,
            zombies: last.zombies,
        }
    }
}

/// Notifies the waiters of the end, also if the runtime is dropped first.
struct Over(Arc<Shell>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.stage.send_replace(Stage::Closed);
    }
}

async fn end(over: Over, grace: Duration) {
    let shell = Arc::clone(&over.0);
    let deadline = Instant::now() + grace;
    shell.feed(Event::Shutdown);
    let mut stage = shell.stage.subscribe();
    let _ = timeout_at(deadline, stage.wait_for(|stage| *stage >= Stage::Stopped)).await;

    let mut closing = JoinSet::new();
    for slot in shell.slots() {
        slot.gone.cancel();
        let left = deadline.saturating_duration_since(Instant::now());
        let shell = Arc::clone(&shell);
        closing.spawn(async move { close_engine(&shell, &slot, left).await });
    }
    while closing.join_next().await.is_some() {}

    shell.closing.cancel();
    shell.tasks.close();
    let _ = timeout_at(deadline, shell.tasks.wait()).await;
    let last_words = deadline.max(Instant::now() + LAST_WORDS);
    let driver = shell.driver.lock().take();
    if let Some(driver) = driver {
        let _ = timeout_at(last_words, driver).await;
    }
    let _ = timeout_at(last_words, shell.journal.close()).await;
}

/// Waits for the running calls of an engine, then closes it.
pub(super) async fn close_engine(shell: &Shell, slot: &Slot, grace: Duration) {
    let began = Instant::now();
    slot.calls.close();
    // `close` is called even if earlier calls never end.
    let _ = timeout_at(began + grace / 2, slot.calls.wait()).await;
    let token = CancellationToken::new();
    let left = (began + grace).saturating_duration_since(Instant::now());
    let cx = Context::new(shell.timeline.clone(), left, token.clone());
    let (engine, own) = (Arc::clone(&slot.engine), cx.clone());
    let mut last = std::pin::pin!(run(&cx, Duration::ZERO, async move {
        engine.close(&own).await;
    }));
    if timeout_at(began + grace, &mut last).await.is_err() {
        token.cancel();
        // Its future is dropped at its next await; a blocked thread is not waited for.
        let _ = timeout_at(Instant::now(), &mut last).await;
    }
}
