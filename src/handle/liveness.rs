//! Detects a stalled runtime from a separate thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::util::Awake;

/// The interval at which the thread records that it is awake.
const TICK: Duration = Duration::from_millis(500);

/// Measures how long a runtime made no progress while the process was awake, so that a stopped
/// process or a suspended machine does not count as a stall.
pub(super) struct Progress {
    awake: Awake,
    start: Instant,
    /// The last progress of the runtime, in nanoseconds of time awake.
    beat: AtomicU64,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            awake: Awake::new(TICK),
            start: Instant::now(),
            beat: AtomicU64::new(0),
        }
    }
}

impl Progress {
    /// Watches from a thread of its own until this is dropped. If no thread can be started, all
    /// time counts as awake.
    pub(super) fn watch(self: &Arc<Self>) {
        let watched = Arc::downgrade(self);
        let watch = move || {
            while let Some(progress) = watched.upgrade() {
                progress.awake.tick(progress.start.elapsed());
                drop(progress);
                thread::sleep(TICK);
            }
        };
        let _ = thread::Builder::new()
            .name("selfheal-watch".to_owned())
            .spawn(watch);
    }

    /// Records progress of the runtime.
    pub(super) fn beat(&self) {
        self.beat_at(|| self.start.elapsed());
    }

    /// The time without progress.
    pub(super) fn silent(&self) -> Duration {
        self.silent_at(|| self.start.elapsed())
    }

    fn beat_at(&self, passed: impl FnOnce() -> Duration) {
        let now = u64::try_from(self.awake.at(passed).as_nanos()).unwrap_or(u64::MAX);
        self.beat.store(now, Ordering::Relaxed);
    }

    fn silent_at(&self, passed: impl FnOnce() -> Duration) -> Duration {
        let beat = Duration::from_nanos(self.beat.load(Ordering::Relaxed));
        self.awake.at(passed).saturating_sub(beat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_silent_only_while_its_watch_is_awake() {
        let ms = Duration::from_millis;
        let progress = Progress::default();
        let tick = |at| progress.awake.tick(ms(at));
        let silent = |at| progress.silent_at(|| ms(at));
        tick(0);
        progress.beat_at(|| ms(100));
        tick(500);
        assert_eq!(silent(800), ms(700));
        // The process was stopped for 30 s, and this is the first call after it resumes.
        assert!(silent(30_000) < ms(2_000), "{:?}", silent(30_000));
        tick(30_000);
        progress.beat_at(|| ms(30_001));
        assert_eq!(silent(30_001), Duration::ZERO);
        // Only the runtime is stalled.
        for at in 61..90 {
            tick(at * 500);
        }
        assert!(silent(44_600) > ms(14_000), "{:?}", silent(44_600));
    }

    #[test]
    fn the_thread_ticks_and_ends_with_what_it_watches() {
        let progress = Arc::new(Progress::default());
        progress.watch();
        let deadline = Instant::now() + Duration::from_secs(60);
        while progress.awake.at(|| Duration::MAX) == Duration::from_nanos(u64::MAX) {
            assert!(Instant::now() < deadline, "no tick");
            thread::yield_now();
        }
        let gone = Arc::downgrade(&progress);
        drop(progress);
        while gone.strong_count() > 0 {
            assert!(Instant::now() < deadline, "it is kept");
            thread::yield_now();
        }
    }
}
