use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;

use super::chain::Chain;

/// A lock-free lookup of everything seen so far, in `LISTS` lists by hash, with a limit on entries
/// that come from outside.
pub(crate) struct Known<S, const LISTS: usize> {
    hash: RandomState,
    lists: Box<[Chain<Arc<S>>]>,
    learnt: AtomicUsize,
    max: usize,
}

impl<S, const LISTS: usize> Known<S, LISTS> {
    /// Creates a lookup with a limit of `max` learnt entries.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            hash: RandomState::default(),
            lists: (0..LISTS).map(|_| Chain::new()).collect(),
            learnt: AtomicUsize::new(0),
            max,
        }
    }

    /// Finds the entry with this key that satisfies `is`, without allocation, lock or write to
    /// shared memory.
    #[inline]
    pub(crate) fn find(&self, key: impl Hash, is: impl Fn(&S) -> bool) -> Option<&Arc<S>> {
        self.list(key).find(|known| is(known))
    }

    /// Finds it, or else adds `make(n)`, where `n` entries were learnt before; `None` at the limit.
    #[cold]
    pub(crate) fn learn(
        &self,
        key: impl Hash,
        is: impl Fn(&S) -> bool,
        make: impl Fn(usize) -> S,
    ) -> Option<&Arc<S>> {
        let before = self
            .learnt
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |learnt| {
                (learnt < self.max).then_some(learnt + 1)
            })
            .ok()?;
        let fresh = Cell::new(false);
        let known = self.list(key).find_or_add(
            |known| is(known),
            || {
                fresh.set(true);
                Arc::new(make(before))
            },
        );
        if !fresh.get() {
            // It existed, or another thread was first: undo the count.
            self.learnt.fetch_sub(1, Ordering::Relaxed);
        }
        Some(known)
    }

    /// Finds or adds an entry named by the program itself, which does not count against the limit.
    #[cold]
    pub(crate) fn add(
        &self,
        key: impl Hash,
        is: impl Fn(&S) -> bool,
        make: impl Fn() -> S,
    ) -> &Arc<S> {
        let list = self.list(key);
        list.find_or_add(|known| is(known), || Arc::new(make()))
    }

    /// Whether the limit is not reached.
    pub(crate) fn has_space(&self) -> bool {
        self.learnt() < self.max
    }

    /// The number of learnt entries.
    pub(crate) fn learnt(&self) -> usize {
        self.learnt.load(Ordering::Relaxed)
    }

    #[inline]
    fn list(&self, key: impl Hash) -> &Chain<Arc<S>> {
        // Only the low bits are needed.
        #[expect(clippy::cast_possible_truncation)]
        let at = self.hash.hash_one(key) as usize % LISTS;
        &self.lists[at]
    }
}

impl<S, const LISTS: usize> fmt::Debug for Known<S, LISTS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({} learnt)", self.learnt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learnt_is_bounded_and_takes_space_once() {
        let known = Known::<usize, 4>::new(10);
        for n in 0..1_000_usize {
            let learnt = known.learn(n, |known| *known == n, |before| before);
            assert_eq!(learnt.map(|n| **n), (n < 10).then_some(n));
        }
        assert!(!known.has_space());
        assert_eq!(known.find(3, |known| *known == 3).map(|n| **n), Some(3));
        assert_eq!(**known.add(77, |known| *known == 77, || 77), 77);
        assert_eq!(known.learnt(), 10);
    }

    #[test]
    fn what_is_there_takes_no_space_again() {
        let known = Known::<char, 1>::new(2);
        known.add("a", |known| *known == 'a', || 'a');
        known.learn("a", |known| *known == 'a', |_| 'a');
        assert_eq!(known.learnt(), 0);
    }
}
