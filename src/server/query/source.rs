//! The source of queries, and the order in which they run.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::fault::Fault;
use crate::promql::Queryable;
use crate::rules::GroupStatus;

/// The limit of queries evaluated at a time, since each takes a processor.
const AT_ONCE: usize = 2;

/// The limit of queued queries, and of their wait.
const WAITING: usize = 8;
const PATIENCE: Duration = Duration::from_secs(5);

/// The source of the query endpoints: the series of this process, and its rules.
///
/// [`Selfheal`](crate::Selfheal) provides one. Series are read on threads that may block.
pub trait QuerySource: Queryable + Send + Sync + 'static {
    /// The loaded groups of rules, with their state. Default: none.
    fn groups(&self) -> Arc<[GroupStatus]> {
        Arc::default()
    }
}

/// State shared by all query endpoints of a router.
pub(in crate::server) struct Queries {
    pub(super) source: Arc<dyn QuerySource>,
    turns: Arc<Semaphore>,
    waiting: Mutex<usize>,
}

impl Queries {
    pub(in crate::server) fn new(source: impl QuerySource) -> Arc<Self> {
        Arc::new(Self {
            source: Arc::new(source),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Mutex::new(0),
        })
    }

    /// The queries of these endpoints; an error if they have none.
    pub(super) fn of(queries: Option<&Arc<Self>>) -> Result<&Arc<Self>, Fault> {
        let none = "no history of the metrics is kept here";
        queries.ok_or_else(|| Fault::new(StatusCode::NOT_FOUND, none))
    }

    /// Runs CPU-bound work when it is its turn.
    pub(super) async fn in_turn<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&dyn QuerySource) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let busy = || Fault::new(StatusCode::SERVICE_UNAVAILABLE, "too many queries at once");
        let waits = Waits::enter(self).ok_or_else(busy)?;
        let turn = timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        drop(waits);
        let turn = turn.ok().and_then(Result::ok).ok_or_else(busy)?;
        let source = Arc::clone(&self.source);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(source.as_ref())
        });
        let failed = |_| Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the query failed");
        done.await.map_err(failed)
    }
}

/// A queued query, until it is dropped.
struct Waits<'a>(&'a Queries);

impl<'a> Waits<'a> {
    fn enter(queries: &'a Queries) -> Option<Self> {
        let mut waiting = queries.waiting.lock();
        if *waiting >= WAITING {
            return None;
        }
        *waiting += 1;
        Some(Self(queries))
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        *self.0.waiting.lock() -= 1;
    }
}
