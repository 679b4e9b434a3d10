//! Values of the operating system, shared by scrapes that arrive together.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::util::Clock;

/// How long values are reused. Reading them takes as long as writing 1,000 series; a process that is
/// scraped hundreds of times a second spends at most one percent of a core on it.
const KEPT: Duration = Duration::from_millis(100);

/// Returns the latest values, read again by `read` if they are too old. Concurrent callers wait for
/// that reading.
pub(super) fn held<T: Copy, F: Fn() -> T>(
    clock: &Clock,
    read: F,
) -> impl Fn() -> Option<T> + use<T, F> {
    let clock = clock.clone();
    let last: Mutex<Option<(Instant, T)>> = Mutex::new(None);
    move || {
        let mut last = last.lock();
        let now = clock.now();
        let fresh = last.filter(|(at, _)| now.saturating_duration_since(*at) < KEPT);
        let (_, values) = last.insert(fresh.unwrap_or_else(|| (now, read())));
        Some(*values)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn figures_are_read_once_for_all_who_come_together() {
        let (clock, hand) = Clock::manual();
        let readings = Cell::new(0);
        let held = held(&clock, || {
            readings.set(readings.get() + 1);
            readings.get()
        });
        assert_eq!(held(), Some(1));
        hand.advance(KEPT / 2);
        assert_eq!(held(), Some(1));
        hand.advance(KEPT / 2);
        assert_eq!(held(), Some(2));
    }
}
