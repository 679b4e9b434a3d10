use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};

use super::native::{Found, add_alone};
use super::numbers::Numbers;
use super::tally::{Observation, Tally};

/// One set of counts for all threads.
///
/// An observation updates a count, the sum and perhaps a native bucket. An atomic addition for each
/// would multiply the time; so a thread locks the set with one atomic operation and then writes
/// plainly. A thread that finds it locked does not wait: it adds atomically to a second set,
/// allocated on first use.
#[derive(Debug)]
pub struct Single {
    taken: AtomicBool,
    /// Number of times it was taken, by which readers detect writes. In one word with `taken`, each
    /// observation would depend on the result of the previous exchange.
    turn: AtomicU32,
    numbers: Numbers,
    aside: OnceLock<Numbers>,
}

/// The column of native counts for threads that find the set locked.
const ASIDE: usize = 0;

impl Single {
    #[cold]
    #[inline(never)]
    fn add_aside(&self, bucket: usize, native: Option<Found<'_>>, n: u32, total: f64) {
        if let Some(count) = native.and_then(|found| found.in_column(ASIDE)) {
            count.fetch_add(u64::from(n), Ordering::Relaxed);
        }
        let aside = self.aside.get_or_init(|| self.numbers.empty_copy());
        aside.add(bucket, n, total);
    }

    /// Takes the set and never returns it, like an interrupted thread.
    #[cfg(test)]
    pub(super) fn take(&self) {
        self.taken.store(true, Ordering::Relaxed);
    }
}

impl Tally for Single {
    const ATTEMPTS: usize = 64;

    fn new(bounds: usize) -> Self {
        Self {
            taken: AtomicBool::new(false),
            turn: AtomicU32::new(0),
            numbers: Numbers::new(bounds),
            aside: OnceLock::new(),
        }
    }

    fn columns() -> usize {
        1
    }

    #[inline]
    fn add(&self, observation: Observation<'_>) {
        if self.taken.swap(true, Ordering::Acquire) {
            let Observation {
                bucket,
                native,
                n,
                total,
            } = observation;
            return self.add_aside(bucket, native, n, total);
        }
        let turn = self.turn.load(Ordering::Relaxed);
        self.turn.store(turn.wrapping_add(1), Ordering::Relaxed);
        // Whoever reads one of the writes below also sees the new turn.
        fence(Ordering::Release);
        if let Some(count) = observation.native.and_then(Found::count) {
            add_alone(count, observation.n);
        }
        self.numbers
            .add_alone(observation.bucket, observation.n, observation.total);
        self.taken.store(false, Ordering::Release);
    }

    fn turn(&self) -> Option<u64> {
        let turn = self.turn.load(Ordering::Acquire);
        (!self.taken.load(Ordering::Acquire)).then_some(u64::from(turn))
    }

    fn read(&self, counts: &mut Vec<u64>) -> f64 {
        let sum = self.numbers.read(counts);
        sum + self.aside.get().map_or(0.0, |aside| aside.add_to(counts))
    }
}
