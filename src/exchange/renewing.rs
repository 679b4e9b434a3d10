use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::RwLock;

use super::handles::Handles;
use crate::registry::removals;

/// Handles that are looked up again once one of their series has been removed or has expired.
///
/// The first handles never change and are used without a lock; their successors are behind a lock
/// that is held to clone one pointer.
#[derive(Debug)]
pub(crate) struct Renewing<T> {
    first: Held<T>,
    later: OnceLock<RwLock<Arc<Held<T>>>>,
}

/// Handles, with the number of removals in the registry at the last check that they are in use.
#[derive(Debug)]
pub(crate) struct Held<T> {
    handles: T,
    seen: AtomicU64,
}

/// The value of [`Held::seen`] once some of the handles are unusable.
const GONE: u64 = u64::MAX;

/// The value of [`Held::seen`] if one of the series may expire: no number of removals, so that each
/// use is checked, and thereby counts as one.
const EXPIRES: u64 = u64::MAX - 1;

impl<T: Handles> Held<T> {
    fn new(make: impl FnOnce() -> T) -> Self {
        let removals = removals();
        let mut handles = make();
        let expires = handles.loosen();
        Self {
            seen: AtomicU64::new(if expires { EXPIRES } else { removals }),
            handles,
        }
    }

    /// Whether the series of all handles still exist; counts as use of them.
    #[inline]
    fn may_use(&self) -> bool {
        let now = removals();
        self.seen.load(Ordering::Relaxed) == now || self.are_there(now)
    }

    #[cold]
    #[inline(never)]
    fn are_there(&self, now: u64) -> bool {
        let seen = self.seen.load(Ordering::Relaxed);
        if seen == GONE {
            return false;
        }
        let there = self.handles.may_use();
        if !there {
            self.seen.store(GONE, Ordering::Relaxed);
        } else if seen != EXPIRES {
            self.seen.store(now, Ordering::Relaxed);
        }
        there
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.handles
    }
}

impl<T: Handles> Renewing<T> {
    pub(super) fn new(make: impl FnOnce() -> T) -> Self {
        Self {
            first: Held::new(make),
            later: OnceLock::new(),
        }
    }

    /// The first handles, even if their series are gone.
    #[inline]
    pub(super) fn first(&self) -> &T {
        &self.first.handles
    }

    /// The current handles; `make` looks up new ones.
    #[inline]
    pub(super) fn get(&self, make: impl Fn() -> T) -> Current<'_, T> {
        if self.first.may_use() {
            Current::First(&self.first.handles)
        } else {
            Current::Later(self.renewed(make))
        }
    }

    #[cold]
    #[inline(never)]
    fn renewed(&self, make: impl Fn() -> T) -> Arc<Held<T>> {
        let new = || Arc::new(Held::new(&make));
        let later = self.later.get_or_init(|| RwLock::new(new()));
        let now = Arc::clone(&later.read());
        if now.may_use() {
            return now;
        }
        let now = new();
        *later.write() = Arc::clone(&now);
        now
    }
}

/// The current handles.
pub(crate) enum Current<'a, T> {
    First(&'a T),
    Later(Arc<Held<T>>),
}

impl<T> Deref for Current<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self {
            Self::First(handles) => handles,
            Self::Later(held) => held,
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Current<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
