use super::kind::TrackerKind;
use super::tracker::Tracker;
use crate::registry::Registry;

/// Tracks a future as a piece of work, from its first poll to its end; implemented for every future
/// that returns a [`Result`].
///
/// ```
/// use selfheal::groups::Api;
/// use selfheal::registry::Registry;
/// use selfheal::track::TrackFuture;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let registry = Registry::new();
/// let call = async { Err::<(), _>("no answer") };
/// let answer = call.tracked_in(&registry, Api::new("github")).await;
/// assert_eq!(answer, Err("no answer"));
/// let labels = [("api", "github"), ("status", "error")];
/// selfheal::testing::assert_value(&registry, "api_calls_total", &labels, 1.0);
/// # }
/// ```
///
/// An error is of type `error`. Dropped after its first poll it is recorded as abandoned, in a
/// panic as an error of type `panic`.
pub trait TrackFuture<T, E>: Future<Output = Result<T, E>> + Sized {
    /// Tracks it in the global registry.
    fn tracked<K: TrackerKind>(self, kind: K) -> impl Future<Output = Result<T, E>> {
        async move { Tracker::start(kind).run(self).await }
    }

    /// Tracks it in `registry`.
    fn tracked_in<K: TrackerKind>(
        self,
        registry: &Registry,
        kind: K,
    ) -> impl Future<Output = Result<T, E>> + use<Self, T, E, K> {
        let registry = registry.clone();
        async move { Tracker::start_in(&registry, kind).run(self).await }
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> TrackFuture<T, E> for F {}

/// Tracks a closure in the global registry: any return value is a success, a panic is an error.
///
/// ```
/// use selfheal::groups::Inference;
/// use selfheal::track;
///
/// let answer = track::measure(Inference::new("ranker"), || 6 * 7);
/// assert_eq!(answer, 42);
/// ```
pub fn measure<K: TrackerKind, R>(kind: K, work: impl FnOnce() -> R) -> R {
    let tracker = Tracker::start(kind);
    let done = work();
    tracker.success();
    done
}

/// Tracks a future in the global registry: any output is a success; use [`TrackFuture`] to
/// distinguish errors.
///
/// # Cancel safety
/// Dropped after its first poll, the work is recorded as abandoned.
pub async fn measure_async<K: TrackerKind, R>(kind: K, work: impl Future<Output = R>) -> R {
    let tracker = Tracker::start(kind);
    let done = work.await;
    tracker.success();
    done
}
