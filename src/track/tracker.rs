use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::kind::{Outcome, TrackerKind};
use crate::registry::Registry;
use crate::util::{Clock, Mark};

/// Tracks a piece of work and records its outcome; see the [module](super).
///
/// Dropping it is always safe: a future that holds one may be cancelled at any await.
#[must_use = "a tracker that is dropped at once records the work as abandoned"]
pub struct Tracker<K: TrackerKind> {
    kind: K,
    /// `None` if the metrics could not be declared, and once the work is recorded.
    metrics: Option<Arc<K::Metrics>>,
    clock: Clock,
    started: Mark,
}

impl<K: TrackerKind> Tracker<K> {
    /// Starts to track `kind` in the global registry.
    pub fn start(kind: K) -> Self {
        Self::start_in(Registry::global(), kind)
    }

    /// Starts to track `kind` in `registry`, with its clock.
    #[inline]
    pub fn start_in(registry: &Registry, kind: K) -> Self {
        Self::start_with(registry, registry.clock().clone(), kind)
    }

    /// Starts to track `kind` in `registry` with this clock.
    #[inline]
    pub fn start_with(registry: &Registry, clock: Clock, kind: K) -> Self {
        let metrics = registry.group_or_skip::<K::Metrics>();
        if let Some(metrics) = &metrics {
            guarded(|| kind.started(metrics));
        }
        Self {
            kind,
            metrics,
            started: clock.mark(),
            clock,
        }
    }

    /// Records success.
    #[inline]
    pub fn success(mut self) {
        self.end(Outcome::Success);
    }

    /// Records a failure. `error_type` becomes a label value: use a small set of names, not the
    /// text of the error.
    #[inline]
    pub fn error(mut self, error_type: &str) {
        self.end(Outcome::Error(error_type));
    }

    /// Records the outcome of a result and returns the result; `error_type` classifies the error.
    pub fn result<T, E>(
        self,
        result: Result<T, E>,
        error_type: impl FnOnce(&E) -> &'static str,
    ) -> Result<T, E> {
        match &result {
            Ok(_) => self.success(),
            Err(error) => self.error(error_type(error)),
        }
        result
    }

    /// Awaits the work and records its outcome, an error as of type `error`;
    /// [`result`](Self::result) can classify it.
    ///
    /// # Errors
    /// The error of the work.
    ///
    /// # Cancel safety
    /// Dropped before its end, the work is recorded as abandoned.
    pub async fn run<T, E>(self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let result = work.await;
        self.result(result, |_| Outcome::ERROR)
    }

    /// The duration so far.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.since(self.started)
    }

    /// Returns the kind of work.
    pub fn kind(&self) -> &K {
        &self.kind
    }

    /// Returns the metrics, to record facts while the work runs; `None` if they could not be
    /// declared.
    #[must_use]
    pub fn metrics(&self) -> Option<&K::Metrics> {
        self.metrics.as_deref()
    }

    fn end(&mut self, outcome: Outcome<'_>) {
        if let Some(metrics) = self.metrics.take() {
            let took = self.elapsed();
            guarded(|| self.kind.record(&metrics, outcome, took));
        }
    }
}

/// Runs a kind's code, possibly a user's, such that it cannot panic out of `Drop`.
fn guarded(run: impl FnOnce()) {
    // The payload needs no handling: the panic hook has printed it.
    let _ = catch_unwind(AssertUnwindSafe(run));
}

impl<K: TrackerKind> Drop for Tracker<K> {
    fn drop(&mut self) {
        self.end(if std::thread::panicking() {
            Outcome::Error("panic")
        } else {
            Outcome::Abandoned
        });
    }
}

impl<K: TrackerKind> fmt::Debug for Tracker<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracker")
            .field("elapsed", &self.elapsed())
            .finish_non_exhaustive()
    }
}
