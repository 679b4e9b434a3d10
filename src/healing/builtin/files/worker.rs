//! Execution of file work that may never end.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;

/// Runs each job on a new thread and waits for it up to a deadline: a hanging file system,
/// validator or hook then blocks only that thread. No job starts while one is late, so there are at
/// most as many of these threads as concurrent callers.
///
/// Deadlines are in real time, since this is about real threads.
pub(super) struct Worker {
    deadline: Duration,
    late: Arc<Mutex<usize>>,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Late {
    #[error(
        "the file system, the validator or a hook did not answer within {0:?}; the operation goes \
         on in the background"
    )]
    Now(Duration),
    #[error(
        "the file system, the validator or a hook still has not answered an earlier operation; no \
         other starts until it does"
    )]
    Still,
    #[error("the system has no more threads")]
    NoThread,
}

enum Job {
    Runs,
    IsLate,
    Ended,
}

impl Worker {
    pub(super) fn new(deadline: Duration) -> Self {
        Self {
            deadline,
            late: Arc::default(),
        }
    }

    /// Runs a job, and blocks until it has ended or is late. A panic of it panics the caller.
    pub(super) fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Late> {
        if *self.late.lock() > 0 {
            return Err(Late::Still);
        }
        let (done, end) = sync_channel::<Result<T, Box<dyn Any + Send>>>(1);
        let state = Arc::new(Mutex::new(Job::Runs));
        let (own, late) = (Arc::clone(&state), Arc::clone(&self.late));
        let runtime = Handle::try_current().ok();
        let thread = std::thread::Builder::new().name("selfheal-file".to_owned());
        let began = thread.spawn(move || {
            let entered = runtime.as_ref().map(Handle::enter);
            let result = catch_unwind(AssertUnwindSafe(job));
            drop(entered);
            if let Job::IsLate = std::mem::replace(&mut *own.lock(), Job::Ended) {
                *late.lock() -= 1;
            }
            // If the caller has stopped waiting, the result is dropped here, and its drop may
            // panic.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(done.send(result))));
        });
        if began.is_err() {
            return Err(Late::NoThread);
        }
        let result = match end.recv_timeout(self.deadline) {
            Err(RecvTimeoutError::Timeout) => {
                let mut state = state.lock();
                if !matches!(*state, Job::Ended) {
                    *state = Job::IsLate;
                    *self.late.lock() += 1;
                    return Err(Late::Now(self.deadline));
                }
                drop(state);
                // It ended just after the timeout.
                end.recv().map_err(|_| Late::NoThread)?
            }
            end => end.map_err(|_| Late::NoThread)?,
        };
        result.map_err(|panic| resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_keeps_one_thread_and_no_one_waits() {
        let worker = Worker::new(Duration::from_millis(20));
        assert_eq!(worker.run(|| 7), Ok(7));
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let late = worker.run(move || {
            let _ = wait.recv();
        });
        assert_eq!(late, Err(Late::Now(Duration::from_millis(20))));
        assert_eq!(worker.run(|| 7), Err(Late::Still));
        drop(go);
        while worker.run(|| 7) != Ok(7) {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_panic_is_one_of_the_caller() {
        let worker = Worker::new(Duration::from_secs(60));
        let caller = catch_unwind(AssertUnwindSafe(|| worker.run(|| panic!("no"))));
        assert!(caller.is_err());
        assert_eq!(worker.run(|| 7), Ok(7));
    }
}
