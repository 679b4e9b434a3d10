use super::sync::{AtomicU64, Ordering, fence, spin_loop};
use super::{LINE, Padded};

pub(super) type Line = Padded<[AtomicU64; LINE]>;

/// The counts of one stripe: its turn, the bits of the sum, then one count for each bound and one
/// for `+Inf`, not cumulative.
///
/// The turn is odd while a thread has exclusive access. It takes it by one atomic operation and
/// then writes plainly; adding atomically to a count and a sum would take twice the time. A reader
/// detects concurrent writes by the turn.
#[derive(Clone, Copy)]
pub(super) struct Stripe<'a>(pub(super) &'a [Line]);

const TURN: usize = 0;
const SUM: usize = 1;
const COUNTS: usize = 2;

/// Number of lines of a stripe with this many bounds.
pub(super) fn each(bounds: usize) -> usize {
    (COUNTS + bounds + 1).div_ceil(LINE)
}

/// Lines with counts at zero.
pub(super) fn empty(count: usize) -> Box<[Line]> {
    let line = |_| Padded(std::array::from_fn(|_| AtomicU64::new(0)));
    (0..count).map(line).collect()
}

impl<'a> Stripe<'a> {
    #[inline]
    fn number(self, at: usize) -> Option<&'a AtomicU64> {
        self.0.get(at / LINE)?.0.get(at % LINE)
    }

    /// Adds with exclusive access, or returns false if another thread has it. `first` also runs
    /// exclusively, and its writes are visible to readers of the count.
    #[inline]
    pub(super) fn add_alone(self, bucket: usize, n: u32, total: f64, first: impl FnOnce()) -> bool {
        let numbers = (
            self.number(TURN),
            self.number(SUM),
            self.number(COUNTS + bucket),
        );
        let (Some(turn), Some(sum), Some(count)) = numbers else {
            return false;
        };
        let now = turn.load(Ordering::Relaxed);
        let taken = now.wrapping_add(1);
        if now % 2 == 1
            || turn
                .compare_exchange(now, taken, Ordering::Acquire, Ordering::Relaxed)
                .is_err()
        {
            return false;
        }
        // Whoever reads a write of `first` also sees the new turn.
        fence(Ordering::Release);
        first();
        // Release, so that even a reader that gives up retrying sees the turn before the count.
        let before = count.load(Ordering::Relaxed);
        count.store(before.wrapping_add(u64::from(n)), Ordering::Release);
        let before = f64::from_bits(sum.load(Ordering::Relaxed));
        sum.store((before + total).to_bits(), Ordering::Relaxed);
        turn.store(taken.wrapping_add(1), Ordering::Release);
        true
    }

    /// Adds atomically; never to a stripe with exclusive writers. Earlier writes are visible to
    /// readers of the count.
    pub(super) fn add(self, bucket: usize, n: u32, total: f64) {
        if let (Some(sum), Some(count)) = (self.number(SUM), self.number(COUNTS + bucket)) {
            count.fetch_add(u64::from(n), Ordering::Release);
            let _ = sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| {
                Some((f64::from_bits(bits) + total).to_bits())
            });
        }
    }

    /// Number of times it was taken and returned; none while it is taken.
    pub(super) fn turn(self) -> Option<u64> {
        let turn = self.number(TURN)?.load(Ordering::Acquire);
        turn.is_multiple_of(2).then_some(turn)
    }

    /// Copies the counts and returns the sum. Later reads are not older.
    pub(super) fn read(self, counts: &mut [u64]) -> f64 {
        /// A write takes nanoseconds. An interrupted writer is not waited for: sum and counts may
        /// then differ by its observation.
        const ATTEMPTS: usize = 64;
        let number = |at| self.number(at).map_or(0, |n| n.load(Ordering::Relaxed));
        let mut sum = 0.0;
        for _ in 0..ATTEMPTS {
            let turn = self.number(TURN).map_or(0, |n| n.load(Ordering::Acquire));
            for (at, count) in counts.iter_mut().enumerate() {
                *count = number(COUNTS + at);
            }
            sum = f64::from_bits(number(SUM));
            fence(Ordering::Acquire);
            if turn.is_multiple_of(2) && number(TURN) == turn {
                break;
            }
            spin_loop();
        }
        sum
    }

    /// Takes it and never returns it, like an interrupted thread.
    #[cfg(test)]
    pub(super) fn take(self) {
        if let Some(turn) = self.number(TURN) {
            turn.store(1, Ordering::Relaxed);
        }
    }
}
