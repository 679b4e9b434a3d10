use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::sysinfo_source::Sysinfo;
use super::{Owner, State, SystemSource};
use crate::util::Clock;

/// The minimum interval: below it the share of CPU time is noise, and `sysinfo` does not read
/// again.
const SHORTEST: Duration = Duration::from_millis(200);

/// Takes samples of the machine; made by [`system`](super::system). When it is dropped, the metrics
/// lose their series.
pub struct SystemSampler {
    state: Arc<State>,
    owner: Owner,
    source: Box<dyn SystemSource>,
    clock: Clock,
    interval: Duration,
    due: Option<Instant>,
}

impl SystemSampler {
    pub(super) fn new(state: Arc<State>, clock: Clock) -> Self {
        Self {
            state,
            owner: Arc::default(),
            source: Box::new(Sysinfo::new()),
            clock,
            interval: Duration::from_secs(5),
            due: None,
        }
    }

    /// Sets the sampling interval, at least 200 ms. Default: 5 s.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval.max(SHORTEST);
        self
    }

    /// Sets the source of samples. Default: `sysinfo`.
    #[must_use]
    pub fn source(mut self, source: impl SystemSource) -> Self {
        self.source = Box::new(source);
        self
    }

    /// Takes a sample if one is due at `now`, and returns when the next is due. Blocks for the
    /// duration of the source, usually some milliseconds.
    pub fn refresh(&mut self, now: Instant) -> Instant {
        if let Some(due) = self.due.filter(|due| now < *due) {
            return due;
        }
        let source = &mut self.source;
        if let Ok(sample) = catch_unwind(AssertUnwindSafe(|| source.sample())) {
            let mut sample = sample.bounded();
            sample.at = self.clock.unix_seconds();
            self.state.set(&self.owner, sample);
        }
        // Counted from the start of the reading, not from its end. An interval beyond the range of
        // the clock means never again.
        let due = now.checked_add(self.interval).unwrap_or(now + YEAR);
        self.due = Some(due);
        due
    }

    /// Takes samples on a separate thread until the handle is dropped.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn spawn(mut self) -> io::Result<SystemHandle> {
        let (stop, stopped) = channel::<()>();
        thread::Builder::new()
            .name("selfheal-system".to_owned())
            .spawn(move || {
                loop {
                    let due = self.refresh(self.clock.now());
                    let wait = due.saturating_duration_since(self.clock.now());
                    // A clock that jumps or stops must not cause a busy loop.
                    if stopped.recv_timeout(wait.max(SHORTEST)) != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                }
            })?;
        Ok(SystemHandle { _stop: stop })
    }
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Drop for SystemSampler {
    fn drop(&mut self) {
        self.state.clear(&self.owner);
    }
}

impl fmt::Debug for SystemSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemSampler")
            .field("interval", &self.interval)
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}

/// Keeps a sampler's thread running. When it is dropped the thread ends, immediately or after the
/// current sample; the drop does not wait for it, since a hanging file system can block it forever.
#[must_use = "sampling ends when the handle is dropped"]
pub struct SystemHandle {
    /// Never sent to: dropping it stops the thread.
    _stop: Sender<()>,
}

impl fmt::Debug for SystemHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemHandle")
    }
}
