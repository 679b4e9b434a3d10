//! A supervised task: its state, start and stop, without decisions.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinError};
use tokio_util::sync::CancellationToken;

use super::TaskOutput;
use crate::healing::core::Moment;
use crate::healing::engine::Timeline;
use crate::healing::runtime::Remark;
use crate::util::BoundedStr;

/// The context of a supervised task. Clones may be passed on.
#[derive(Clone, Debug)]
pub struct TaskContext {
    timeline: Timeline,
    /// Time of the last heartbeat, in nanoseconds.
    beat: Arc<AtomicI64>,
    /// The remark to set on a heartbeat without a timeout.
    unheard: Option<Arc<Remark>>,
    cancel: CancellationToken,
}

/// The remark shown for heartbeats without effect.
const UNHEARD: &str = "it sends heartbeats but has no timeout for them, so that a hang goes \
    unnoticed: set one with `Supervise::heartbeat`";

impl TaskContext {
    /// Reports that the task makes progress. Call it more often than the task's
    /// [timeout](super::Supervise::heartbeat). Without a timeout it only leads to a remark, once
    /// in the log, and in the health report.
    pub fn heartbeat(&self) {
        let now = self.timeline.now_inside();
        self.beat.store(now.as_nanos(), Ordering::Relaxed);
        if let Some(remark) = &self.unheard {
            remark.make(UNHEARD);
        }
    }

    /// Waits until the task should stop, for a restart or a shutdown. Cancel-safe.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// Whether the task should stop.
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

/// Creates the future of a task.
pub(super) type Start =
    dyn Fn(TaskContext) -> Pin<Box<dyn Future<Output = Option<BoundedStr>> + Send>> + Send + Sync;

/// Boxes a task of any future type.
pub(super) fn boxed<F, Fut>(start: F) -> Box<Start>
where
    F: Fn(TaskContext) -> Fut + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: TaskOutput,
{
    Box::new(move |cx| {
        let task = start(cx);
        Box::pin(async move { task.await.into_error() })
    })
}

/// A restartable task, one instance at a time.
pub(super) struct Child {
    start: Box<Start>,
    timeline: Timeline,
    unheard: OnceLock<Arc<Remark>>,
    status: Mutex<Status>,
    /// Notified when the task ends.
    ended: tokio::sync::Notify,
    /// Called when the task ends, also if its runtime ends.
    on_end: Box<dyn Fn() + Send + Sync>,
}

/// The state of the task at one moment.
#[derive(Clone, Debug)]
pub(super) struct Status {
    /// Number of starts.
    pub(super) starts: u64,
    /// Time of its start.
    pub(super) started: Moment,
    /// How it ended; `None` while it runs.
    pub(super) end: Option<End>,
    beat: Arc<AtomicI64>,
    cancel: CancellationToken,
    abort: Option<AbortHandle>,
}

impl Status {
    /// Time of its last heartbeat.
    pub(super) fn beat(&self) -> Moment {
        Moment::from_nanos(self.beat.load(Ordering::Relaxed))
    }
}

impl Child {
    pub(super) fn new(
        start: Box<Start>,
        timeline: Timeline,
        on_end: impl Fn() + Send + Sync + 'static,
    ) -> Arc<Self> {
        let now = timeline.now();
        Arc::new(Self {
            start,
            timeline,
            unheard: OnceLock::new(),
            status: Mutex::new(Status {
                starts: 0,
                started: now,
                end: Some(End::Stopped),
                beat: Arc::new(AtomicI64::new(now.as_nanos())),
                cancel: CancellationToken::new(),
                abort: None,
            }),
            ended: tokio::sync::Notify::new(),
            on_end: Box::new(on_end),
        })
    }

    /// Sets the remark for heartbeats that no timeout waits for.
    pub(super) fn is_unheard(&self, remark: Arc<Remark>) {
        let _ = self.unheard.set(remark);
    }

    /// The current time on the clock of the heartbeats.
    pub(super) fn now(&self) -> Moment {
        self.timeline.now()
    }

    /// Starts the task on a runtime unless it runs; returns whether it did.
    pub(super) fn start(self: &Arc<Self>, runtime: &Handle) -> bool {
        let now = self.now();
        let cx = TaskContext {
            timeline: self.timeline.clone(),
            beat: Arc::new(AtomicI64::new(now.as_nanos())),
            unheard: self.unheard.get().cloned(),
            cancel: CancellationToken::new(),
        };
        {
            let mut status = self.status.lock();
            if status.end.is_none() {
                return false;
            }
            status.starts += 1;
            status.started = now;
            status.end = None;
            status.beat = Arc::clone(&cx.beat);
            status.cancel = cx.cancel.clone();
            status.abort = None;
        }
        // From here on no other start succeeds before this one has ended.
        let mut ending = Ending {
            child: Arc::clone(self),
            end: End::Stopped,
        };
        let cancel = cx.cancel.clone();
        // Called inside the task, so that a panic of the closure ends the task, too.
        let inner = Arc::clone(self);
        let task = runtime.spawn(async move { (inner.start)(cx).await });
        self.status.lock().abort = Some(task.abort_handle());
        runtime.spawn(async move {
            ending.was(match task.await {
                Ok(_) if cancel.is_cancelled() => End::Stopped,
                Ok(None) => End::Returned,
                Ok(Some(error)) => End::Failed(error),
                Err(error) => of_join(error),
            });
        });
        true
    }

    /// Asks the task to stop, aborts it after `grace`, and waits until it has ended.
    ///
    /// A task that blocks its thread cannot be aborted: this then keeps waiting, and a caller that
    /// gives up must not start another.
    pub(super) async fn stop(&self, grace: Duration) {
        let (cancel, abort) = {
            let status = self.status.lock();
            (status.cancel.clone(), status.abort.clone())
        };
        cancel.cancel();
        tokio::select! {
            () = self.wait() => return,
            () = self.timeline.sleep(grace) => {}
        }
        if let Some(abort) = abort {
            abort.abort();
        }
        self.wait().await;
    }

    async fn wait(&self) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            // Registered before the state is read, so that an end in between is not missed.
            ended.as_mut().enable();
            if self.status.lock().end.is_some() {
                return;
            }
            ended.await;
        }
    }

    pub(super) fn status(&self) -> Status {
        self.status.lock().clone()
    }
}

/// Reports how a task ended, also if its runtime ended first.
struct Ending {
    child: Arc<Child>,
    end: End,
}

impl Ending {
    fn was(&mut self, end: End) {
        self.end = end;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.child.status.lock().end = Some(self.end.clone());
        self.child.ended.notify_waiters();
        (self.child.on_end)();
    }
}

fn of_join(error: JoinError) -> End {
    match error.try_into_panic() {
        Ok(payload) => {
            let text = payload
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            End::Panicked(text.unwrap_or("the panic had no message").into())
        }
        Err(_cancelled) => End::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::util::Clock;

    fn child<F, Fut>(start: F) -> Arc<Child>
    where
        F: Fn(TaskContext) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: TaskOutput,
    {
        let timeline = Timeline::start(Clock::system(), Handle::current());
        Child::new(boxed(start), timeline, || {})
    }

    fn start(child: &Arc<Child>) -> bool {
        child.start(&Handle::current())
    }

    #[test]
    fn a_task_whose_runtime_ends_has_ended() {
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap()
        };
        let (ours, its) = (runtime(), runtime());
        let _inside = ours.enter();
        let timeline = Timeline::start(Clock::system(), Handle::current());
        let (ended, ends) = std::sync::mpsc::channel();
        let forever = boxed(|_| std::future::pending::<()>());
        let child = Child::new(forever, timeline, move || ended.send(()).unwrap());
        assert!(child.start(its.handle()));
        assert_eq!(child.status().end, None);
        drop(its);
        assert_eq!(child.status().end, Some(End::Stopped));
        ends.try_recv().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn every_end_is_known_for_what_it_is() {
        let round = AtomicU32::new(0);
        let child = child(move |_| {
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
            assert!(start(&child));
            child.wait().await;
            assert_eq!(child.status().end, Some(want));
        }
        assert!(start(&child));
        assert!(!start(&child), "one at a time");
        child.stop(Duration::from_secs(1)).await;
        assert_eq!(
            child.status().end,
            Some(End::Stopped),
            "aborted when the grace was over"
        );
        assert_eq!(child.status().starts, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_listens_stops_within_the_grace() {
        let child = child(|cx: TaskContext| async move {
            cx.cancelled().await;
        });
        start(&child);
        let before = tokio::time::Instant::now();
        child.stop(Duration::from_secs(60)).await;
        assert!(before.elapsed() < Duration::from_secs(1));
    }
}
