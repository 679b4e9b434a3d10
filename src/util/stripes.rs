use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::padded::Padded;

/// The limit of stripes per series: 4 KB for a counter. With more running threads, collisions of
/// two are rare.
const MOST: usize = 32;

/// One value for each thread that may write at the same time.
#[derive(Debug)]
pub(crate) struct Stripes<T>(Box<[Padded<T>]>);

impl<T> Stripes<T> {
    pub(crate) fn new(value: impl Fn() -> T) -> Self {
        Self((0..count()).map(|_| Padded(value())).collect())
    }

    /// The value of this thread, possibly shared with another thread.
    #[inline]
    pub(crate) fn mine(&self) -> Option<&T> {
        // The length is a power of two.
        let at = number() & self.0.len().wrapping_sub(1);
        self.0.get(at).map(|padded| &padded.0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|padded| &padded.0)
    }
}

/// The number of stripes per series: the number of threads that can run at once, rounded up to a
/// power of two.
pub(crate) fn count() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        threads.next_power_of_two().clamp(2, MOST)
    })
}

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The number of this thread among those that write to striped metrics; consecutive, so that the
/// threads of a pool have one stripe each.
#[inline]
pub(crate) fn number() -> usize {
    NUMBER.with(|number| match number.get() {
        usize::MAX => first(number),
        known => known,
    })
}

#[cold]
fn first(number: &Cell<usize>) -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // Never equal to the marker, even after that many threads.
    let fresh = NEXT.fetch_add(1, Ordering::Relaxed) % usize::MAX;
    number.set(fresh);
    fresh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripes_are_a_power_of_two_and_share_no_line() {
        let stripes = Stripes::new(|| 0_u8);
        assert!(stripes.0.len().is_power_of_two() && stripes.0.len() <= MOST);
        let places: Vec<usize> = stripes
            .iter()
            .map(|at| std::ptr::from_ref(at).addr())
            .collect();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 128));
    }

    #[test]
    fn a_thread_keeps_its_number_and_no_other_has_it() {
        let mine = number();
        assert_eq!(number(), mine);
        let others = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(number)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect::<std::collections::BTreeSet<_>>()
        });
        assert_eq!(others.len(), 4);
        assert!(!others.contains(&mine));
    }
}
