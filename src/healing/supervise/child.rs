//! One supervised task: its state, started and stopped; no decision is made here.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::{AbortHandle, JoinError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::TaskOutput;
use crate::util::BoundedStr;

/// What a supervised task is handed when it starts. A clone may be passed on.
#[derive(Clone, Debug)]
pub struct TaskContext {
    beat: Arc<Mutex<Instant>>,
    cancel: CancellationToken,
}

impl TaskContext {
    /// Says that the task makes progress. Call it more often than the heartbeat time-out that
    /// the task was given; without one it does nothing of note.
    pub fn heartbeat(&self) {
        *self.beat.lock() = Instant::now();
    }

    /// Waits until the task shall stop: because it is restarted or the service shuts down.
    /// Cancel-safe.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// Whether the task shall stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Returned,
    Failed(BoundedStr),
    Panicked(BoundedStr),
    /// It was asked to stop, or aborted.
    Stopped,
}

/// What is known of the task at one moment.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// How many times it has been started.
    pub(super) generation: u64,
    /// Since when it runs.
    pub(super) started: Instant,
    /// When it last said that it makes progress.
    pub(super) beat: Instant,
    /// How it ended; `None` while it runs.
    pub(super) end: Option<End>,
}

type Start =
    dyn Fn(TaskContext) -> Pin<Box<dyn Future<Output = Option<BoundedStr>> + Send>> + Send + Sync;

/// A task that can be started over and over, one at a time.
pub(super) struct Child {
    start: Box<Start>,
    running: Mutex<Running>,
    /// Woken whenever the task ends.
    ended: tokio::sync::Notify,
}

struct Running {
    generation: u64,
    started: Instant,
    beat: Arc<Mutex<Instant>>,
    cancel: CancellationToken,
    abort: Option<AbortHandle>,
    end: Option<End>,
}

impl Child {
    pub(super) fn new<F, Fut>(start: F) -> Arc<Self>
    where
        F: Fn(TaskContext) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: TaskOutput,
    {
        let now = Instant::now();
        Arc::new(Self {
            start: Box::new(move |cx| {
                let task = start(cx);
                Box::pin(async move { task.await.into_error() })
            }),
            running: Mutex::new(Running {
                generation: 0,
                started: now,
                beat: Arc::new(Mutex::new(now)),
                cancel: CancellationToken::new(),
                abort: None,
                end: Some(End::Stopped),
            }),
            ended: tokio::sync::Notify::new(),
        })
    }

    /// Starts the task unless it runs; says whether it did. `on_end` is called when it ends.
    pub(super) fn start(self: &Arc<Self>, on_end: impl FnOnce() + Send + 'static) -> bool {
        let now = Instant::now();
        let cx = TaskContext {
            beat: Arc::new(Mutex::new(now)),
            cancel: CancellationToken::new(),
        };
        let generation = {
            let mut running = self.running.lock();
            if running.end.is_none() {
                return false;
            }
            running.generation += 1;
            running.started = now;
            running.beat = Arc::clone(&cx.beat);
            running.cancel = cx.cancel.clone();
            running.end = None;
            running.abort = None;
            running.generation
        };
        let child = Arc::clone(self);
        let cancel = cx.cancel.clone();
        // The user's closure runs inside the task, so that its panic is the task's.
        let inner = Arc::clone(self);
        let task = tokio::spawn(async move { (inner.start)(cx).await });
        {
            let mut running = self.running.lock();
            if running.generation == generation {
                running.abort = Some(task.abort_handle());
            }
        }
        tokio::spawn(async move {
            let end = match task.await {
                Ok(_) if cancel.is_cancelled() => End::Stopped,
                Ok(None) => End::Returned,
                Ok(Some(error)) => End::Failed(error),
                Err(error) => of_join(error),
            };
            {
                let mut running = child.running.lock();
                if running.generation == generation {
                    running.end = Some(end);
                }
            }
            child.ended.notify_waiters();
            on_end();
        });
        true
    }

    /// Asks the task to stop, aborts it when `grace` is over, and waits until it has ended.
    ///
    /// A task that blocks its thread cannot be aborted: then this waits, and whoever waits for
    /// it may give up, but must not start another.
    pub(super) async fn stop(&self, grace: Duration) {
        let (cancel, abort) = {
            let running = self.running.lock();
            (running.cancel.clone(), running.abort.clone())
        };
        cancel.cancel();
        if tokio::time::timeout(grace, self.wait()).await.is_ok() {
            return;
        }
        if let Some(abort) = abort {
            abort.abort();
        }
        self.wait().await;
    }

    /// Waits until the task has ended.
    async fn wait(&self) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            // Registered before the state is read, so that no end slips through between.
            ended.as_mut().enable();
            if self.running.lock().end.is_some() {
                return;
            }
            ended.await;
        }
    }

    pub(super) fn look(&self) -> Look {
        let running = self.running.lock();
        let beat = *running.beat.lock();
        Look {
            generation: running.generation,
            started: running.started,
            beat,
            end: running.end.clone(),
        }
    }
}

fn of_join(error: JoinError) -> End {
    match error.try_into_panic() {
        Ok(payload) => {
            let text = payload
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            End::Panicked(text.unwrap_or("the panic carried no text").into())
        }
        Err(_cancelled) => End::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_end_is_known_for_what_it_is() {
        let round = AtomicU32::new(0);
        let child = Child::new(move |_| {
            let n = round.fetch_add(1, Ordering::Relaxed);
            async move {
                match n {
                    0 => Ok(()),
                    1 => Err("no mail server"),
                    2 => panic!("poison"),
                    _ => std::future::pending().await,
                }
            }
        });
        for want in [
            End::Returned,
            End::Failed("no mail server".into()),
            End::Panicked("poison".into()),
        ] {
            assert!(child.start(|| {}));
            child.wait().await;
            assert_eq!(child.look().end, Some(want));
        }
        assert!(child.start(|| {}));
        assert!(!child.start(|| {}), "one at a time");
        child.stop(Duration::from_secs(1)).await;
        assert_eq!(
            child.look().end,
            Some(End::Stopped),
            "aborted when the grace was over"
        );
        assert_eq!(child.look().generation, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_listens_stops_within_the_grace() {
        let child = Child::new(|cx: TaskContext| async move {
            cx.cancelled().await;
        });
        child.start(|| {});
        let before = tokio::time::Instant::now();
        child.stop(Duration::from_secs(60)).await;
        assert!(before.elapsed() < Duration::from_secs(1));
    }
}
