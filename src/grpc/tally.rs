use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::series::Series;
use crate::registry::Counter;

/// Where the messages of a request are counted. The body of a request goes its own way, apart
/// from the call.
#[derive(Debug)]
pub(super) enum Tally {
    /// The method's; its handles are several counts of references, and this is one.
    To(Arc<Series>),
    /// The method is not known yet.
    Later(Arc<Waiting>),
}

impl Tally {
    /// Counts to this method, if anybody does.
    #[inline]
    pub(super) fn to(series: &Arc<Series>) -> Option<Self> {
        let counted = series.handles.requests.is_some();
        counted.then(|| Self::To(Arc::clone(series)))
    }

    #[inline]
    pub(super) fn add(&self, messages: u64) {
        if messages == 0 {
            return;
        }
        match self {
            Self::To(series) => {
                if let Some(requests) = &series.handles.requests {
                    requests.add(messages);
                }
            }
            Self::Later(waiting) => waiting.add(messages),
        }
    }
}

/// Messages that wait for the counter they belong to.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    messages: AtomicU64,
    counter: OnceLock<Option<Counter>>,
}

impl Waiting {
    /// Adds, and hands over if there is somebody to take it. Both this and [`Self::settle`]
    /// change `messages`, so one of the two comes second, sees what the other did, and hands
    /// over; and what is handed over is gone, so that it is counted once.
    fn add(&self, messages: u64) {
        self.messages.fetch_add(messages, Ordering::AcqRel);
        self.hand_over();
    }

    /// Says where the messages belong, those to come as well.
    pub(super) fn settle(&self, counter: Option<Counter>) {
        // Only the one call that this belongs to settles it, and once.
        let _ = self.counter.set(counter);
        self.hand_over();
    }

    fn hand_over(&self) {
        if let Some(Some(counter)) = self.counter.get() {
            counter.add(self.messages.swap(0, Ordering::AcqRel));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    #[test]
    fn early_and_late_messages_are_counted_once() {
        let registry = Registry::new();
        let counter = registry.counter("a_total", "").build().unwrap();
        let waiting = Arc::new(Waiting::default());
        let tally = Tally::Later(Arc::clone(&waiting));
        tally.add(2);
        assert_eq!(counter.get(), 0);
        waiting.settle(Some(counter.clone()));
        assert_eq!(counter.get(), 2);
        tally.add(3);
        assert_eq!(counter.get(), 5);
    }

    #[test]
    fn none_is_lost_while_it_is_being_settled() {
        let registry = Registry::new();
        let counter = registry.counter("a_total", "").build().unwrap();
        for _ in 0..200 {
            let waiting = Arc::new(Waiting::default());
            std::thread::scope(|scope| {
                scope.spawn(|| (0..50).for_each(|_| waiting.add(1)));
                waiting.settle(Some(counter.clone()));
            });
        }
        assert_eq!(counter.get(), 200 * 50);
    }
}
