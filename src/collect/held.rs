//! Values of the operating system, shared by scrapes that arrive together.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::figures::Figures;
use crate::catalog::MetricDef;
use crate::registry::{Collector, FamilySnapshot};
use crate::util::Clock;

/// How long values are reused. Reading them takes as long as writing 1,000 series; a process that is
/// scraped hundreds of times a second spends at most one percent of a core on it.
const KEPT: Duration = Duration::from_millis(100);

/// The values of the latest reading.
struct Held<T> {
    clock: Clock,
    last: Mutex<Option<(Instant, T)>>,
}

impl<T: Copy> Held<T> {
    fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            last: Mutex::default(),
        }
    }

    /// Returns the latest values, read again by `read` if they are too old. Concurrent callers wait
    /// for that reading.
    fn get(&self, read: impl FnOnce() -> T) -> T {
        let mut last = self.last.lock();
        let now = self.clock.now();
        if let Some((at, figures)) = *last
            && now.saturating_duration_since(at) < KEPT
        {
            return figures;
        }
        let figures = read();
        *last = Some((now, figures));
        figures
    }
}

/// A collector of figures that come from one reading.
pub(super) struct HeldFigures<T, F> {
    read: F,
    held: Held<T>,
    figures: Figures<T>,
}

impl<T: Copy, F: Fn() -> T> HeldFigures<T, F> {
    pub(super) fn new(clock: &Clock, figures: Figures<T>, read: F) -> Self {
        Self {
            read,
            held: Held::new(clock),
            figures,
        }
    }
}

impl<T, F> Collector for HeldFigures<T, F>
where
    T: Copy + Send + 'static,
    F: Fn() -> T + Send + Sync + 'static,
{
    fn describe(&self) -> Vec<MetricDef> {
        self.figures.describe()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let read = self.held.get(&self.read);
        self.figures.collect(&read, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_once_for_all_who_come_together() {
        let (clock, hand) = Clock::manual();
        let held = Held::new(&clock);
        assert_eq!(held.get(|| 1), 1);
        hand.advance(KEPT / 2);
        assert_eq!(held.get(|| 2), 1);
        hand.advance(KEPT / 2);
        assert_eq!(held.get(|| 3), 3);
    }
}
