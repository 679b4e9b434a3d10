//! The series of a query, and where the last step was in them.

use std::cell::Cell;

use crate::promql::labels::LabelSet;
use crate::promql::value::{Sample, Series};

/// How many samples a step may be from the previous one before they are searched by halves.
const NEAR: usize = 8;

/// A series with all samples that any step of a query needs.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) labels: LabelSet,
    /// Without stale markers, if they are for ranges.
    samples: Vec<Sample>,
    /// The bounds of the last step's range: the next one is mostly a little further on.
    from: Cell<usize>,
    to: Cell<usize>,
}

impl From<Series> for Loaded {
    fn from(Series { labels, samples }: Series) -> Self {
        Self {
            labels,
            samples,
            from: Cell::new(0),
            to: Cell::new(0),
        }
    }
}

impl Loaded {
    /// The samples after one time and up to another.
    pub(super) fn between(&self, after: i64, until: i64) -> &[Sample] {
        let from = advance(&self.samples, &self.from, after);
        let to = advance(&self.samples, &self.to, until);
        self.samples.get(from..to).unwrap_or_default()
    }

    /// The newest sample up to a time.
    pub(super) fn newest(&self, until: i64) -> Option<&Sample> {
        let to = advance(&self.samples, &self.to, until);
        to.checked_sub(1).and_then(|at| self.samples.get(at))
    }
}

/// Counts the samples up to a time, and sets `known` to that. It was that of another time.
fn advance(samples: &[Sample], known: &Cell<usize>, time: i64) -> usize {
    let is_before = |sample: &Sample| sample.time <= time;
    let at = known.get();
    let (before, rest) = samples.split_at(at.min(samples.len()));
    let count = if before.last().is_some_and(|last| !is_before(last)) {
        before.partition_point(is_before)
    } else {
        let near = rest
            .iter()
            .take(NEAR)
            .take_while(|it| is_before(it))
            .count();
        match rest.get(near..) {
            // The last one is far away in memory, so that it is compared only here.
            Some([.., last]) if near == NEAR && is_before(last) => samples.len(),
            Some(further) if near == NEAR => at + near + further.partition_point(is_before),
            _ => at + near,
        }
    };
    known.set(count);
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any step after any other finds what a search from the start would.
    #[test]
    fn a_step_finds_its_samples_wherever_the_previous_one_was() {
        let times: Vec<i64> = (0..40).map(|n| n * n).collect();
        let samples = times.iter().map(|time| Sample {
            time: *time,
            value: 1.0.into(),
        });
        let samples: Vec<Sample> = samples.collect();
        let loaded = Loaded::from(Series {
            labels: LabelSet::empty(),
            samples: samples.clone(),
        });
        let ends: Vec<i64> = (-2..1_600).step_by(37).collect();
        for first in &ends {
            for second in &ends {
                for until in [first, second] {
                    let after = until - 100;
                    let want = samples
                        .iter()
                        .filter(|it| it.time > after && it.time <= *until);
                    assert!(want.eq(loaded.between(after, *until)), "{first} {second}");
                    let want = samples.iter().rfind(|it| it.time <= *until);
                    assert_eq!(loaded.newest(*until), want, "{first} {second}");
                }
            }
        }
    }
}
