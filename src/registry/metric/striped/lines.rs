use super::sync::{AtomicU64, Ordering, fence, spin_loop};
use super::{LINE, Padded};

pub(super) type Line = Padded<[AtomicU64; LINE]>;

/// The numbers of one stripe: its turn, the bits of the sum, then one count for each bound and
/// one for `+Inf`, not cumulative.
///
/// The turn is odd while a thread has the stripe for itself. It takes it by one atomic operation
/// and then writes plainly, where a count and a sum that are added to atomically would take twice
/// the time. A reader sees by the turn whether there was a write meanwhile.
#[derive(Clone, Copy)]
pub(super) struct Stripe<'a>(pub(super) &'a [Line]);

const TURN: usize = 0;
const SUM: usize = 1;
const COUNTS: usize = 2;

/// How many lines a stripe has for so many bounds.
pub(super) fn each(bounds: usize) -> usize {
    (COUNTS + bounds + 1).div_ceil(LINE)
}

/// So many lines, at zero.
pub(super) fn empty(count: usize) -> Box<[Line]> {
    let line = |_| Padded(std::array::from_fn(|_| AtomicU64::new(0)));
    (0..count).map(line).collect()
}

impl<'a> Stripe<'a> {
    #[inline]
    fn number(self, at: usize) -> Option<&'a AtomicU64> {
        self.0.get(at / LINE)?.0.get(at % LINE)
    }

    /// Adds as the only one who writes, or returns false where another thread writes. What
    /// `first` writes, that only one does at a time, too; who sees the count sees it.
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
        // No reader sees what `first` writes without the new turn.
        fence(Ordering::Release);
        first();
        // No reader sees the count without that, not even one that has tried for long enough.
        let before = count.load(Ordering::Relaxed);
        count.store(before.wrapping_add(u64::from(n)), Ordering::Release);
        let before = f64::from_bits(sum.load(Ordering::Relaxed));
        sum.store((before + total).to_bits(), Ordering::Relaxed);
        turn.store(taken.wrapping_add(1), Ordering::Release);
        true
    }

    /// Adds as one of many; never to a stripe that others have for themselves. Who sees the count
    /// sees what was written before.
    pub(super) fn add(self, bucket: usize, n: u32, total: f64) {
        if let (Some(sum), Some(count)) = (self.number(SUM), self.number(COUNTS + bucket)) {
            count.fetch_add(u64::from(n), Ordering::Release);
            let _ = sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| {
                Some((f64::from_bits(bits) + total).to_bits())
            });
        }
    }

    /// How often it was taken and given back; none while it is taken.
    pub(super) fn turn(self) -> Option<u64> {
        let turn = self.number(TURN)?.load(Ordering::Acquire);
        turn.is_multiple_of(2).then_some(turn)
    }

    /// Copies the counts and returns the sum. What is read afterwards is not older.
    pub(super) fn read(self, counts: &mut [u64]) -> f64 {
        /// A writer is done within nanoseconds. One that was interrupted is not waited for: sum
        /// and counts may then differ by its observation.
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

    /// Takes it and does not give it back, as a thread that is interrupted.
    #[cfg(test)]
    pub(super) fn take(self) {
        if let Some(turn) = self.number(TURN) {
            turn.store(1, Ordering::Relaxed);
        }
    }
}
