use std::sync::atomic::{AtomicU64, Ordering};

use super::stripes::Stripes;
use crate::catalog::Kind;
use crate::registry::declare::Declare;
use crate::registry::family::Family;
use crate::registry::labels::{LabelKey, Labels};
use crate::registry::metric::common::Born;
use crate::registry::metric::sealed::{Sealed, Shape};
use crate::registry::metric::{Counter, Metric};
use crate::registry::snapshot::{Number, Sample, Scratch, ValueRef};
use crate::registry::storage::Place;

/// A [`Counter`] whose threads do not wait for each other's cache lines; declared by
/// `striped` of [`Declare`].
///
/// It takes 128 bytes for each thread that can run at the same time, rounded up to a power of
/// two and 32 at most. It wraps at 2⁶⁴, and who reads it twice never sees it fall before that.
#[derive(Clone, Debug)]
pub struct StripedCounter(Place<Cell>);

/// The parts of one series; their sum is its value.
#[derive(Debug)]
pub struct Cell(Stripes<AtomicU64>, Born);

impl Cell {
    #[inline]
    fn add(&self, n: u64) {
        if let Some(part) = self.0.mine() {
            part.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// No part ever falls, so neither does the sum, whatever is added in between.
    fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum, part| {
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
        self.0.use_cell(|cell| cell.add(n));
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.cell().map_or(0, Cell::sum)
    }
}

impl Metric for StripedCounter {}

impl Sealed for StripedCounter {
    type Cell = Cell;
    const KIND: Kind = Kind::Counter;

    fn cell(shape: &Shape) -> Cell {
        Cell(Stripes::new(AtomicU64::default), Born::now(&shape.common))
    }

    fn handle(place: Place<Cell>, _: &Shape) -> Self {
        Self(place)
    }

    fn read<'a>(cell: &'a Cell, scratch: &'a mut Scratch) -> Sample<'a> {
        Sample {
            created: cell.1.at(&scratch.common),
            ..Sample::new(ValueRef::Number(Number::U64(cell.sum())))
        }
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
        self.core.record(labels, |cell| cell.add(n));
    }
}

#[cfg(test)]
mod tests {
    use crate::registry::Registry;

    #[test]
    fn nothing_is_lost_and_nobody_sees_it_fall() {
        const EACH: u64 = 20_000;
        let registry = Registry::new();
        let counter = registry.counter("a_total", "").striped().build().unwrap();
        std::thread::scope(|scope| {
            // More threads than stripes have to share.
            for _ in 0..2 * super::super::stripes::count() {
                scope.spawn(|| (0..EACH).for_each(|_| counter.inc()));
            }
            scope.spawn(|| {
                let all = 2 * super::super::stripes::count() as u64 * EACH;
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
