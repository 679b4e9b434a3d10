use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;

use super::chain::Chain;

/// All that has been seen, found without a lock, in so many lists by hash; and a bound on how much
/// of it comes from outside.
pub(crate) struct Known<S, const LISTS: usize> {
    hash: RandomState,
    lists: Box<[Chain<Arc<S>>]>,
    learnt: AtomicUsize,
    max: usize,
}

impl<S, const LISTS: usize> Known<S, LISTS> {
    /// Learns `max` things and no more.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            hash: RandomState::default(),
            lists: (0..LISTS).map(|_| Chain::new()).collect(),
            learnt: AtomicUsize::new(0),
            max,
        }
    }

    /// What `is` the one sought, by its key; without an allocation, a lock or a change to shared
    /// memory.
    #[inline]
    pub(crate) fn find(&self, key: impl Hash, is: impl Fn(&S) -> bool) -> Option<&Arc<S>> {
        self.list(key).find(|known| is(known))
    }

    /// The same; where there is none, what `make` makes while there is space, of how many there
    /// were before.
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
            // It was there, or another thread was first: give the space back.
            self.learnt.fetch_sub(1, Ordering::Relaxed);
        }
        Some(known)
    }

    /// The same for what the program itself names, which takes no space.
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

    /// Whether there is space to learn.
    pub(crate) fn has_room(&self) -> bool {
        self.learnt() < self.max
    }

    /// How many things were learnt.
    pub(crate) fn learnt(&self) -> usize {
        self.learnt.load(Ordering::Relaxed)
    }

    #[inline]
    fn list(&self, key: impl Hash) -> &Chain<Arc<S>> {
        // Only the low bits are wanted.
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
    fn what_is_learnt_is_bounded_and_takes_room_once() {
        let known = Known::<usize, 4>::new(10);
        for n in 0..1_000_usize {
            let learnt = known.learn(n, |known| *known == n, |before| before);
            assert_eq!(learnt.map(|n| **n), (n < 10).then_some(n));
        }
        assert!(!known.has_room());
        assert_eq!(known.find(3, |known| *known == 3).map(|n| **n), Some(3));
        assert_eq!(**known.add(77, |known| *known == 77, || 77), 77);
        assert_eq!(known.learnt(), 10);
    }

    #[test]
    fn what_is_there_takes_no_room_again() {
        let known = Known::<char, 1>::new(2);
        known.add("a", |known| *known == 'a', || 'a');
        known.learn("a", |known| *known == 'a', |_| 'a');
        assert_eq!(known.learnt(), 0);
    }
}
