//! Boxes for reuse.

use std::cell::RefCell;
use std::thread::LocalKey;

/// A thread's unused boxes of one type, kept for reuse so that state of each request needs no
/// allocation.
///
/// Each thread keeps its own. Boxes taken on one thread and kept by another even out over many
/// requests.
pub(crate) struct Spare<T>(RefCell<Vec<Box<T>>>);

impl<T> Spare<T> {
    /// The limit of boxes that a thread keeps.
    const MAX: usize = 64;

    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// Returns an unused box, with the content that its last user left.
    #[inline]
    pub(crate) fn take(of_thread: &'static LocalKey<Self>) -> Option<Box<T>> {
        // An ending thread has no spare boxes any more.
        let taken = of_thread.try_with(|spare| spare.0.try_borrow_mut().ok()?.pop());
        taken.ok().flatten()
    }

    /// Keeps a box for reuse, unless the limit is reached.
    #[inline]
    pub(crate) fn keep(of_thread: &'static LocalKey<Self>, unused: Box<T>) {
        let mut unused = Some(unused);
        // A box that is not kept is dropped here, outside the borrow: its drop may run any code.
        let _ = of_thread.try_with(|spare| {
            if let Ok(mut kept) = spare.0.try_borrow_mut()
                && kept.len() < Self::MAX
            {
                kept.extend(unused.take());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        static SPARE: Spare<usize> = const { Spare::new() };
    }

    #[test]
    fn what_was_kept_is_taken_and_there_is_a_limit() {
        assert_eq!(Spare::take(&SPARE), None);
        let max = Spare::<usize>::MAX;
        (0..max + 10).for_each(|n| Spare::keep(&SPARE, Box::new(n)));
        for n in (0..max).rev() {
            assert_eq!(Spare::take(&SPARE).as_deref(), Some(&n));
        }
        assert_eq!(Spare::take(&SPARE), None);
    }

    #[test]
    fn threads_have_their_own() {
        Spare::keep(&SPARE, Box::new(7));
        let other = std::thread::spawn(|| Spare::take(&SPARE)).join().unwrap();
        assert_eq!(other, None);
    }
}
