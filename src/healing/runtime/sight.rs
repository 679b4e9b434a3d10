//! Whether an engine's detector works: a component is good only while it is watched.

use std::time::Duration;

use crate::healing::core::{Moment, ShortText};
use parking_lot::Mutex;

/// How much longer than the last good run a detection run may take before it counts as hanging.
const SLACK: Duration = Duration::from_secs(1);

/// A detector that does not see its components: its last detection run failed, or the current one
/// takes far longer than the last good one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blind {
    /// How long, since the first failed detection run began.
    pub lasting: Duration,
    /// Whether that exceeds the time limit of a detection run: the policy's `timeout`.
    pub overdue: bool,
    /// The detector's message.
    pub why: ShortText,
}

/// The results of the detection runs of one engine so far.
#[derive(Debug, Default)]
pub(super) struct Sight(Mutex<Looks>);

#[derive(Debug, Default)]
struct Looks {
    /// When the current detection run began.
    began: Option<Moment>,
    /// How long the last good run took.
    good: Option<Duration>,
    /// When the first failed run since then began, and the message of the last one.
    failed: Option<(Moment, ShortText)>,
}

impl Sight {
    pub(super) fn began(&self, now: Moment) {
        self.0.lock().began = Some(now);
    }

    pub(super) fn sees(&self, now: Moment) {
        let mut seen = self.0.lock();
        let began = seen.began.take().unwrap_or(now);
        seen.good = Some(now - began);
        seen.failed = None;
    }

    pub(super) fn failed(&self, now: Moment, why: ShortText) {
        let mut seen = self.0.lock();
        let since = match seen.failed.take() {
            Some((since, _)) => since,
            None => seen.began.unwrap_or(now),
        };
        seen.failed = Some((since, why));
    }

    /// Whether it is blind now, given the `timeout` of a detection run. None before its first run
    /// has ended.
    pub(super) fn blind(&self, now: Moment, timeout: Duration) -> Option<Blind> {
        let seen = self.0.lock();
        let (since, why) = match (&seen.failed, seen.began, seen.good) {
            (Some((since, why)), ..) => (*since, why.clone()),
            (None, Some(began), Some(good)) => {
                let hangs = (now - began) > good.saturating_add(SLACK);
                hangs.then(|| (began, ShortText::new("it has not ended yet")))?
            }
            _ => return None,
        };
        let lasting = now - since;
        Some(Blind {
            lasting,
            overdue: lasting >= timeout,
            why,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_takes_no_longer_than_usual_is_not_blind() {
        let second = Duration::from_secs(1);
        let (sight, start) = (Sight::default(), Moment::START);
        let blind = |after: u32| sight.blind(start + after * second, 30 * second);
        sight.began(start);
        assert_eq!(blind(20), None, "nothing is known before the first end");
        sight.sees(start + 5 * second);
        sight.began(start + 10 * second);
        assert_eq!(blind(16), None);
        let hangs = blind(17).unwrap();
        assert_eq!((hangs.lasting, hangs.overdue), (7 * second, false));
        assert!(blind(40).unwrap().overdue);
        sight.failed(start + 40 * second, ShortText::new("no"));
        sight.began(start + 60 * second);
        sight.failed(start + 60 * second, ShortText::new("again"));
        let failed = blind(61).unwrap();
        assert_eq!(
            (failed.lasting, failed.why.as_str()),
            (51 * second, "again")
        );
        sight.sees(start + 62 * second);
        assert_eq!(blind(63), None);
    }
}
