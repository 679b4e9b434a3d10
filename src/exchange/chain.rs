//! An append-only list that is read without a lock.

use std::fmt;
use std::sync::OnceLock;

/// Values are added under `&self`, keep their address until the list is dropped, and are found by
/// walking the list: a few loads, no lock, no reference count. For small caches of handles, bounded
/// by their owner, that are never removed.
///
/// New values are appended, so the values used first are found first.
pub(crate) struct Chain<T>(OnceLock<Box<Link<T>>>);

struct Link<T> {
    value: T,
    next: Chain<T>,
}

impl<T> Chain<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Returns the first value that satisfies `is`.
    #[inline]
    pub(crate) fn find(&self, is: impl Fn(&T) -> bool) -> Option<&T> {
        let mut at = self;
        while let Some(link) = at.0.get() {
            if is(&link.value) {
                return Some(&link.value);
            }
            at = &link.next;
        }
        None
    }

    /// Returns the first value that satisfies `is`, or else appends the one that `make` returns,
    /// which must satisfy `is`. Concurrent calls for the same value get the same one.
    #[inline]
    pub(crate) fn find_or_add(&self, is: impl Fn(&T) -> bool, make: impl Fn() -> T) -> &T {
        match self.find(&is) {
            Some(value) => value,
            None => self.add(is, make),
        }
    }

    #[cold]
    fn add(&self, is: impl Fn(&T) -> bool, make: impl Fn() -> T) -> &T {
        let mut at = self;
        loop {
            let mut fresh = false;
            let link = at.0.get_or_init(|| {
                fresh = true;
                Box::new(Link {
                    value: make(),
                    next: Self::new(),
                })
            });
            // Another thread may have appended another value first.
            if fresh || is(&link.value) {
                return &link.value;
            }
            at = &link.next;
        }
    }
}

impl<T> Default for Chain<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Drops the links in a loop: recursion would be as deep as the list is long.
impl<T> Drop for Chain<T> {
    fn drop(&mut self) {
        let mut rest = self.0.take();
        while let Some(mut link) = rest {
            rest = link.next.0.take();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Chain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        let mut at = self;
        while let Some(link) = at.0.get() {
            list.entry(&link.value);
            at = &link.next;
        }
        list.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_value_is_made_once_and_stays() {
        let chain = Chain::new();
        let first: *const u32 = chain.find_or_add(|n| *n == 1, || 1);
        assert_eq!(*chain.find_or_add(|n| *n == 2, || 2), 2);
        let again = chain.find_or_add(|n| *n == 1, || unreachable!("it is there"));
        assert!(std::ptr::eq(first, again));
        assert_eq!(chain.find(|n| *n == 3), None);
    }

    #[test]
    fn threads_that_race_make_each_value_once() {
        let chain = Chain::new();
        let made = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..100 {
                        chain.find_or_add(
                            |known| *known == n,
                            || {
                                made.fetch_add(1, Ordering::Relaxed);
                                n
                            },
                        );
                    }
                });
            }
        });
        assert_eq!(made.into_inner(), 100);
    }

    #[test]
    fn a_long_chain_is_dropped_without_recursion() {
        let chain = Chain::new();
        let mut last = &chain;
        for n in 0..200_000_u32 {
            last.find_or_add(|_| false, || n);
            last = &last.0.get().expect("just added").next;
        }
        std::thread::Builder::new()
            .stack_size(64 * 1024)
            .spawn(move || drop(chain))
            .unwrap()
            .join()
            .unwrap();
    }
}
