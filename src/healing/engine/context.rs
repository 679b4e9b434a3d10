use std::fmt;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::timeline::Timeline;
use crate::healing::core::{AttemptId, IssueKey, Moment, ShortText, Stamp, Unknown};
use crate::util::Clock;

/// The context of an engine call: its time limit, cancellation and clocks. Cloning is cheap and
/// gives the same context.
///
/// A cancelled call has half of the policy's grace to end by itself; then its future is dropped at
/// its next await. Whatever still runs after the whole grace, such as a
/// [`blocking`](Self::blocking) job, is a zombie: it keeps its lock until it ends.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    token: CancellationToken,
    timeline: Timeline,
    deadline: Moment,
    attempt: Option<AttemptId>,
    /// Jobs on threads, which outlive the future that started them.
    jobs: TaskTracker,
    data_from: AtomicI64,
    unknown: Mutex<Unknown>,
}

impl Context {
    /// A context for a call that begins now.
    pub(crate) fn new(timeline: Timeline, timeout: Duration, token: CancellationToken) -> Self {
        let deadline = timeline.in_time(timeout);
        Self::until(timeline, deadline, None, token)
    }

    pub(crate) fn until(
        timeline: Timeline,
        deadline: Moment,
        attempt: Option<AttemptId>,
        token: CancellationToken,
    ) -> Self {
        let began = timeline.now();
        Self(Arc::new(Inner {
            token,
            deadline,
            attempt,
            jobs: TaskTracker::new(),
            data_from: AtomicI64::new(began.as_nanos()),
            unknown: Mutex::default(),
            timeline,
        }))
    }

    /// A context for calling an engine by hand in a test: one minute, never cancelled.
    ///
    /// # Errors
    /// There is no tokio runtime.
    pub fn by_hand() -> Result<Self, tokio::runtime::TryCurrentError> {
        let timeline = Timeline::start(Clock::system(), tokio::runtime::Handle::try_current()?);
        let minute = Duration::from_secs(60);
        Ok(Self::new(timeline, minute, CancellationToken::new()))
    }

    /// The identifier of the attempt or rollback; none when detecting and verifying.
    #[must_use]
    pub fn attempt(&self) -> Option<AttemptId> {
        self.0.attempt
    }

    /// The time left before the call is cancelled.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.0.deadline - self.0.timeline.now()
    }

    /// When the call is cancelled, for [`tokio::time::timeout_at`]; it moves later by any time for
    /// which the process is stopped or its runtime blocked.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.0.timeline.instant_of(self.0.deadline)
    }

    /// Whether the call was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.token.is_cancelled()
    }

    /// Waits until the call is cancelled. Cancel-safe.
    pub async fn cancelled(&self) {
        self.0.token.cancelled().await;
    }

    /// The token behind [`cancelled`](Self::cancelled), to pass to other code.
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.0.token
    }

    /// The current time, on both clocks.
    #[must_use]
    pub fn now(&self) -> Stamp {
        self.0.timeline.stamp()
    }

    /// The clock used to stamp the engine's records.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.0.timeline.clock()
    }

    /// Declares that the call's report rests on data this old, such as a cached reading. A
    /// verification on data older than the end of the attempt proves nothing and is repeated.
    /// Default: the data are as old as the call.
    pub fn data_age(&self, age: Duration) {
        let from = self.0.timeline.now().back(age).as_nanos();
        self.0.data_from.fetch_min(from, Ordering::Relaxed);
    }

    /// Declares that this detection run could not determine the state of a key, and why: the probe
    /// of one of several targets timed out, say. The run counts as good, and the key as neither
    /// found nor gone: an open issue of it stays as it is, and
    /// [`explain`](crate::healing::Healing::explain) and the page show the reason. If the run also
    /// reports an observation of the key, that counts instead.
    ///
    /// The default verification has no verdict then. In other calls it has no effect. If it is
    /// called for more than [`Unknown::MAX`] keys, every key that the run does not report counts as
    /// not known.
    ///
    /// ```
    /// use selfheal::healing::{Context, HealError, IssueKey, Observation};
    ///
    /// async fn probe(shard: &str) -> std::io::Result<bool> {
    ///     # if shard == "b" { return Err(std::io::ErrorKind::TimedOut.into()) }
    ///     Ok(true) // whether it answers correctly
    /// }
    ///
    /// async fn detect(cx: Context) -> Result<Vec<Observation>, HealError> {
    ///     let mut found = Vec::new();
    ///     for shard in ["a", "b"] {
    ///         match probe(shard).await {
    ///             Ok(true) => {}
    ///             Ok(false) => found.push(Observation::new(shard, "corrupt")),
    ///             Err(error) => cx.unknown(IssueKey::new(shard, "corrupt"), error.to_string()),
    ///         }
    ///     }
    ///     Ok(found)
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() { assert!(detect(Context::by_hand().unwrap()).await.unwrap().is_empty()); }
    /// ```
    pub fn unknown(&self, key: IssueKey, why: impl Into<ShortText>) {
        let now = self.now();
        self.0.unknown.lock().add(key, why, now);
    }

    /// Whether the state of a key could be determined.
    pub(super) fn is_known(&self, key: &IssueKey) -> bool {
        let unknown = self.0.unknown.lock();
        unknown.get(key).is_none() && !unknown.has_more()
    }

    pub(crate) fn take_unknown(&self) -> Unknown {
        std::mem::take(&mut *self.0.unknown.lock())
    }

    /// Runs `job`, which blocks for a while and ends by itself (files, hashing), on one of tokio's
    /// blocking threads, and waits for it. A job that may never end belongs [on a thread of its
    /// own](Self::on_thread): a tokio runtime waits for this one when it is dropped.
    ///
    /// A thread cannot be cancelled: when the attempt is cancelled, the job continues, and the
    /// attempt counts as running, then as a zombie, until the job has ended. A job cancelled before
    /// it got a thread never starts. A panic of the job panics the caller.
    ///
    /// Dropping the future does not end the job.
    pub async fn blocking<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let job = self.tracked(job);
        match tokio::task::spawn_blocking(job).await {
            Ok(Some(done)) => done,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            // It never started, since the runtime is shutting down, so there is no result.
            Ok(None) | Err(_) => pending().await,
        }
    }

    /// Runs `job`, which may never end (a foreign library, a command), on a new thread, and waits
    /// for it. Otherwise like [`blocking`](Self::blocking), but the end of the runtime and of the
    /// process does not wait for it, and neither does a clock that a test has paused.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub async fn on_thread<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> std::io::Result<T> {
        let (done, end) = oneshot::channel();
        let job = self.tracked(job);
        let thread = std::thread::Builder::new().name("selfheal-job".to_owned());
        thread.spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(job));
            // If the caller has stopped waiting, the result is dropped here, and its drop may
            // panic.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(done.send(result))));
        })?;
        match end.await {
            Ok(Ok(Some(result))) => Ok(result),
            Ok(Err(panic)) => resume_unwind(panic),
            Ok(Ok(None)) | Err(_) => pending().await,
        }
    }

    /// The job, counted as running until it has ended; skipped if it is cancelled before it begins.
    fn tracked<T, F: FnOnce() -> T>(&self, job: F) -> impl FnOnce() -> Option<T> + use<T, F> {
        let (token, ends) = (self.0.token.clone(), self.0.jobs.token());
        move || {
            let _ends = ends;
            (!token.is_cancelled()).then(job)
        }
    }

    /// Waits until every blocking job has ended. No more may be started.
    pub(crate) async fn jobs_ended(&self) {
        self.0.jobs.close();
        self.0.jobs.wait().await;
    }

    pub(crate) async fn sleep(&self, wait: Duration) {
        self.0.timeline.sleep(wait).await;
    }

    pub(crate) fn data_from(&self) -> Moment {
        Moment::from_nanos(self.0.data_from.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("attempt", &self.0.attempt)
            .field("remaining", &self.remaining())
            .field("cancelled", &self.is_cancelled())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_runs_out() {
        let cx = Context::by_hand().unwrap();
        assert_eq!(cx.remaining(), Duration::from_secs(60));
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(cx.remaining(), Duration::ZERO);
        assert_eq!(cx.now().at, Moment::after_start(Duration::from_secs(61)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_data_count() {
        let cx = Context::by_hand().unwrap();
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(cx.data_from(), Moment::START, "as old as the call");
        cx.data_age(Duration::from_secs(15));
        cx.data_age(Duration::from_secs(3));
        assert_eq!(cx.data_from(), Moment::START.back(Duration::from_secs(5)));
    }

    #[tokio::test]
    async fn a_job_is_waited_for_though_its_caller_is_gone() {
        let cx = Context::by_hand().unwrap();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (began_tx, began) = tokio::sync::oneshot::channel();
        let caller = tokio::spawn({
            let cx = cx.clone();
            async move {
                cx.blocking(move || {
                    began_tx.send(()).unwrap();
                    wait.recv().unwrap();
                })
                .await;
            }
        });
        began.await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        let mut ended = std::pin::pin!(cx.jobs_ended());
        let first = std::future::poll_fn(|task| std::task::Poll::Ready(ended.as_mut().poll(task)));
        assert!(first.await.is_pending());
        go.send(()).unwrap();
        ended.await;
    }

    #[tokio::test]
    async fn a_thread_of_its_own_gives_its_result_or_its_panic() {
        let cx = Context::by_hand().unwrap();
        assert_eq!(cx.on_thread(|| 7).await.unwrap(), 7);
        let panics = tokio::spawn({
            let cx = cx.clone();
            async move { cx.on_thread(|| panic!("no")).await.unwrap() }
        });
        assert!(panics.await.unwrap_err().is_panic());
        cx.jobs_ended().await;
    }

    #[tokio::test]
    async fn a_job_that_was_called_off_never_starts() {
        let cx = Context::by_hand().unwrap();
        cx.token().cancel();
        let caller = tokio::spawn({
            let cx = cx.clone();
            async move { cx.blocking(|| panic!("started")).await }
        });
        tokio::task::yield_now().await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        cx.jobs_ended().await;
    }
}
