use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};

use super::native::{Found, add_alone};
use super::numbers::Numbers;
use super::tally::{Observation, Tally};

/// One set of numbers for all threads.
///
/// An observation moves a count, the sum and perhaps a native bucket. An atomic addition to each
/// would take so many times the time of one; so a thread takes the numbers for itself with one
/// atomic operation and then writes plainly. Who finds them taken does not wait: there is a second
/// set, made when it is first needed, to which atomic additions are made.
#[derive(Debug)]
pub struct Single {
    taken: AtomicBool,
    /// How often they were taken, for readers to see that there was no write while they read. In one
    /// word with `taken`, each observation would wait for what the exchange of the one before
    /// gave.
    turn: AtomicU32,
    numbers: Numbers,
    aside: OnceLock<Numbers>,
}

/// The column of native counts for those who find the numbers taken.
const ASIDE: usize = 0;

impl Single {
    #[cold]
    #[inline(never)]
    fn add_aside(&self, observation: Observation<'_>) {
        if let Some(count) = observation.native.and_then(|found| found.in_column(ASIDE)) {
            count.fetch_add(u64::from(observation.n), Ordering::Relaxed);
        }
        let aside = self.aside.get_or_init(|| self.numbers.empty_copy());
        aside.add(observation.bucket, observation.n, observation.total);
    }

    /// Takes the numbers and does not give them back, as a thread that is interrupted.
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
            return self.add_aside(observation);
        }
        let turn = self.turn.load(Ordering::Relaxed);
        self.turn.store(turn.wrapping_add(1), Ordering::Relaxed);
        // No reader sees what is written below without the new turn.
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
