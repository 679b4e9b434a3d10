use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::common::Common;
use super::exemplar::Mark;
use crate::registry::snapshot::{Exemplar, ExemplarLabels, Sample};

/// The creation time and exemplar of a series, if it records them: 8 bytes.
#[derive(Debug, Default)]
pub(crate) struct Note {
    born: Born,
    mark: Mark,
}

impl Note {
    /// Records the family's age at the creation of the series.
    pub(crate) fn born(&self, age: Duration) {
        self.born.set(age);
    }

    /// Takes an exemplar, unless there is an unread one.
    #[inline]
    pub(crate) fn offer(
        &self,
        common: &Common,
        value: f64,
        labels: impl FnOnce(&mut ExemplarLabels),
    ) {
        self.mark.offer(common, value, labels);
    }

    /// Copies the exemplar of another note.
    pub(crate) fn set_exemplar(&self, other: Self) {
        self.mark.set(other.mark);
    }

    /// Whether there never was an exemplar.
    pub(crate) fn has_no_exemplar(&self) -> bool {
        self.mark.is_none()
    }

    /// A sample of the series with its note. Its exemplar is put into `exemplar`, and marked as
    /// read.
    pub(crate) fn complete<'a>(
        &self,
        sample: Sample<'a>,
        common: &Common,
        exemplar: &'a mut Option<Exemplar>,
    ) -> Sample<'a> {
        *exemplar = self.mark.read(common);
        Sample {
            created: self.born.at(common),
            exemplar: exemplar.as_ref(),
            ..sample
        }
    }
}

/// The creation time of a series, in four bytes.
#[derive(Debug, Default)]
struct Born(AtomicU32);

impl Born {
    /// Ticks per second; 2^32 of them are more than eight years.
    const TICKS: u32 = 16;

    /// Sets the family's age.
    fn set(&self, age: Duration) {
        let ticks = age.as_millis() * u128::from(Self::TICKS) / 1000;
        // 0 means unknown. Rounded down, the age is never later than the first value.
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX).saturating_add(1);
        self.0.store(ticks, Ordering::Relaxed);
    }

    /// The time in seconds since 1970-01-01T00:00:00Z, if known.
    fn at(&self, common: &Common) -> Option<f64> {
        let ticks = self.0.load(Ordering::Relaxed).checked_sub(1)?;
        Some(common.at(Duration::from_secs(1) * ticks / Self::TICKS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::Clock;

    #[test]
    fn a_birth_is_known_to_a_sixteenth_of_a_second() {
        let common = Common::new(Clock::manual().0, true);
        let start = common.at(Duration::ZERO);
        let born = Born::default();
        assert_eq!(born.at(&common), None);
        for (after, known) in [
            (0, 0.0),
            (62, 0.0),
            (63, 0.0625),
            (1_000, 1.0),
            (1_100, 1.0625),
        ] {
            born.set(Duration::from_millis(after));
            let at = born.at(&common).unwrap();
            assert!((at - start - known).abs() < 1e-6, "{after}: {at}");
        }
        born.set(Duration::from_secs(20 * 365 * 86_400));
        let late = born.at(&common).unwrap() - start;
        assert!(late > 8.0 * 365.0 * 86_400.0, "{late}");
    }
}
