use std::sync::atomic::{AtomicU64, Ordering};

use crate::registry::metric::Counter;
use crate::registry::metric::counter::Sum;
use crate::registry::storage::Made;
use crate::util::stripes::Stripes;

/// A [`Counter`] whose threads do not contend for cache lines; declared by `striped` of
/// [`Declare`](crate::registry::Declare).
///
/// It takes 128 bytes for each thread that can run in parallel, rounded up to a power of two, at
/// most 32.
pub type StripedCounter = Counter<Parts>;

/// A number for each thread that can run in parallel. The value is their sum.
#[derive(Debug)]
pub struct Parts(Stripes<AtomicU64>);

impl Made for Parts {}

impl Sum for Parts {
    fn new() -> Self {
        Self(Stripes::new(AtomicU64::default))
    }

    #[inline]
    fn add(&self, n: u64) {
        if let Some(part) = self.0.mine() {
            part.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// No part ever decreases, so neither does the sum, even with concurrent additions.
    fn get(&self) -> u64 {
        self.0.iter().fold(0, |sum, part| {
            sum.wrapping_add(part.load(Ordering::Relaxed))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::registry::{Family, Registry, StripedCounter, Text};

    #[test]
    fn the_threads_of_a_series_have_one_exemplar_until_it_is_read() {
        let registry = Registry::new();
        let events: Family<StripedCounter, [Text; 1]> = {
            let declared = registry.counter("events_total", "");
            declared.striped().labels(["x"]).unwrap()
        };
        let shown = || -> Vec<Option<String>> {
            let series = events.snapshot().series.into_iter();
            let exemplars = series.map(|series| series.exemplar);
            exemplars
                .map(|shown| shown.map(|shown| format!("{} {}", shown.labels(), shown.value)))
                .collect()
        };
        let handle = events.with(&["a"]);
        events.inc(&["b"]);
        assert_eq!(shown(), [None, None]);
        handle.add_with_exemplar(3, |labels| labels.push("id", "1"));
        std::thread::scope(|scope| {
            let other =
                || events.inc_with_exemplar(&["a"], |_| unreachable!("it is not asked for"));
            scope.spawn(other);
        });
        for _ in 0..2 {
            let want = Some("id=\"1\" 3".to_owned());
            assert_eq!(shown(), [want, None], "it stays until there is another");
        }
        events.inc_with_exemplar(&["a"], |labels| labels.push("id", "2"));
        handle.inc_with_exemplar(|labels| labels.push("no name", "3"));
        assert_eq!(shown(), [Some("id=\"2\" 1".to_owned()), None]);
        handle.inc_with_exemplar(|labels| labels.push("no name", "3"));
        assert_eq!(shown(), [Some("id=\"2\" 1".to_owned()), None]);
        assert_eq!(
            (handle.get(), events.core.shape.common.rejected_exemplars()),
            (7, 1)
        );
    }

    #[test]
    fn nothing_is_lost_and_no_reader_sees_it_fall() {
        const EACH: u64 = 20_000;
        let registry = Registry::new();
        let counter = registry.counter("a_total", "").striped().build().unwrap();
        std::thread::scope(|scope| {
            // More threads than stripes, so that some share one.
            for _ in 0..2 * crate::util::stripes::count() {
                scope.spawn(|| (0..EACH).for_each(|_| counter.inc()));
            }
            scope.spawn(|| {
                let all = 2 * crate::util::stripes::count() as u64 * EACH;
                let mut before = 0;
                while before < all {
                    let now = counter.get();
                    assert!(before <= now, "{before} > {now}");
                    before = now;
                }
                assert_eq!(before, all);
            });
        });
    }
}
