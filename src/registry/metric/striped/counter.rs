use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::catalog::Kind;
use crate::registry::declare::Declare;
use crate::registry::family::Family;
use crate::registry::labels::{LabelKey, Labels};
use crate::registry::metric::common::Common;
use crate::registry::metric::exemplar::Slots;
use crate::registry::metric::sealed::{Sealed, Shape};
use crate::registry::metric::{Counter, Metric};
use crate::registry::snapshot::{ExemplarLabels, Number, Sample, Scratch, ValueRef};
use crate::registry::storage::{Made, Place};
use crate::util::stripes::Stripes;

/// A [`Counter`] whose threads do not wait for each other's cache lines; declared by
/// `striped` of [`Declare`].
///
/// It takes 128 bytes for each thread that can run at the same time, rounded up to a power of
/// two and 32 at most. It wraps at 2⁶⁴, and who reads it twice never sees it fall before that.
#[derive(Clone, Debug)]
pub struct StripedCounter {
    place: Place<Cell>,
    common: Arc<Common>,
}

/// The state of one series.
#[derive(Debug)]
pub struct Cell {
    /// Their sum is the value.
    parts: Stripes<AtomicU64>,
    /// One place for all threads: until it is read again they only look at it, and what is only
    /// looked at every processor has a copy of.
    exemplar: Slots,
}

impl Made for Cell {}

impl Cell {
    #[inline]
    fn add(&self, n: u64) {
        if let Some(part) = self.parts.mine() {
            part.fetch_add(n, Ordering::Relaxed);
        }
    }

    #[inline]
    fn exemplar(&self, common: &Common, n: u64, labels: impl FnOnce(&mut ExemplarLabels)) {
        self.exemplar.offer((0, 1), common, n as f64, labels);
    }

    /// No part ever falls, so neither does the sum, whatever is added in between.
    fn sum(&self) -> u64 {
        self.parts.iter().fold(0, |sum, part| {
            sum.wrapping_add(part.load(Ordering::Relaxed))
        })
    }
}

impl StripedCounter {
    /// Adds one.
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    #[inline]
    pub fn add(&self, n: u64) {
        self.place.use_cell(|cell| cell.add(n));
    }

    /// Adds one, with an exemplar; see [`add_with_exemplar`](Self::add_with_exemplar).
    #[inline]
    pub fn inc_with_exemplar(&self, labels: impl FnOnce(&mut ExemplarLabels)) {
        self.add_with_exemplar(1, labels);
    }

    /// Adds `n`, and offers an exemplar of it.
    ///
    /// The threads share one place for it. It is taken where the one before was read by a scrape,
    /// and only then is `labels` called, so that this costs hardly more than [`add`](Self::add).
    /// Labels that break a rule make no exemplar and are counted in
    /// `selfheal_exemplars_rejected_total`, see [`ExemplarLabels::push`]; without any there is no
    /// exemplar.
    ///
    /// ```
    /// use selfheal::registry::{DeclareError, Registry};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let registry = Registry::new();
    /// let events = registry.counter("events_total", "Events seen").striped().build()?;
    /// events.add_with_exemplar(3, |labels| labels.push("trace_id", "4bf92f3577b34da6"));
    /// assert_eq!(events.get(), 3);
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn add_with_exemplar(&self, n: u64, labels: impl FnOnce(&mut ExemplarLabels)) {
        self.add(n);
        if let Some(cell) = self.place.cell() {
            cell.exemplar(&self.common, n, labels);
        }
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.place.cell().map_or(0, Cell::sum)
    }
}

impl Metric for StripedCounter {}

impl Sealed for StripedCounter {
    type Cell = Cell;
    const KIND: Kind = Kind::Counter;

    fn cell(_: &Shape) -> Cell {
        Cell {
            parts: Stripes::new(AtomicU64::default),
            exemplar: Slots::default(),
        }
    }

    fn handle(place: Place<Cell>, shape: &Shape) -> Self {
        Self {
            place,
            common: Arc::clone(&shape.common),
        }
    }

    fn read<'a>(cell: &'a Cell, scratch: &'a mut Scratch) -> Sample<'a> {
        cell.exemplar.read(&mut scratch.exemplars);
        Sample {
            exemplar: scratch.exemplars.first(),
            ..Sample::new(ValueRef::Number(Number::U64(cell.sum())))
        }
    }

    fn value<'a>(cell: &'a Cell, _: usize, _: &'a mut Scratch) -> Option<ValueRef<'a>> {
        Some(ValueRef::Number(Number::U64(cell.sum())))
    }
}

impl<'r> Declare<'r, Counter> {
    /// Gives every thread that can run at the same time a number of its own in each series, so
    /// that none waits for another: 128 bytes each. For what many threads count all the time.
    ///
    /// ```
    /// use selfheal::registry::{DeclareError, Registry, StripedCounter};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let registry = Registry::new();
    /// let events: StripedCounter = registry
    ///     .counter("events_total", "Events seen")
    ///     .striped()
    ///     .build()?;
    /// events.inc();
    /// assert_eq!(events.get(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn striped(self) -> Declare<'r, StripedCounter> {
        self.of_type()
    }
}

impl<K: LabelKey> Family<StripedCounter, K> {
    /// Adds one to the series with these label values.
    #[inline]
    pub fn inc<L: Labels<Key = K>>(&self, labels: &L) {
        self.add(labels, 1);
    }

    /// Adds `n` to the series with these label values.
    #[inline]
    pub fn add<L: Labels<Key = K>>(&self, labels: &L, n: u64) {
        self.core.record(labels, |cell, _| cell.add(n));
    }

    /// Adds one to the series with these label values, and offers an exemplar; see
    /// [`StripedCounter::add_with_exemplar`].
    pub fn inc_with_exemplar<L: Labels<Key = K>>(
        &self,
        labels: &L,
        exemplar: impl FnOnce(&mut ExemplarLabels),
    ) {
        self.core.record(labels, |cell, _| {
            cell.add(1);
            cell.exemplar(&self.core.shape.common, 1, exemplar);
        });
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
        let told = || -> Vec<Option<String>> {
            let series = events.snapshot().series.into_iter();
            let exemplars = series.map(|series| series.exemplar);
            exemplars
                .map(|told| told.map(|told| format!("{} {}", told.labels(), told.value)))
                .collect()
        };
        let handle = events.with(&["a"]);
        events.inc(&["b"]);
        assert_eq!(told(), [None, None]);
        handle.add_with_exemplar(3, |labels| labels.push("id", "1"));
        std::thread::scope(|scope| {
            let other = || events.inc_with_exemplar(&["a"], |_| unreachable!("nobody asks for it"));
            scope.spawn(other);
        });
        for _ in 0..2 {
            let want = Some("id=\"1\" 3".to_owned());
            assert_eq!(told(), [want, None], "it stays until there is another");
        }
        events.inc_with_exemplar(&["a"], |labels| labels.push("id", "2"));
        handle.inc_with_exemplar(|labels| labels.push("no name", "3"));
        assert_eq!(told(), [Some("id=\"2\" 1".to_owned()), None]);
        handle.inc_with_exemplar(|labels| labels.push("no name", "3"));
        assert_eq!(told(), [Some("id=\"2\" 1".to_owned()), None]);
        assert_eq!(
            (handle.get(), events.core.shape.common.rejected_exemplars()),
            (7, 1)
        );
    }

    #[test]
    fn nothing_is_lost_and_nobody_sees_it_fall() {
        const EACH: u64 = 20_000;
        let registry = Registry::new();
        let counter = registry.counter("a_total", "").striped().build().unwrap();
        std::thread::scope(|scope| {
            // More threads than stripes have to share.
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
