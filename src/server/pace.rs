//! The rate at which all pages together are sent.

use std::time::Duration;

use tokio::time::Instant;

/// The interval between turns of [`TURN`](super::stream::TURN) bytes, over all readers: some 330 MB
/// per second. Passing that to the kernel takes a quarter of it on a current machine, and all of it
/// on one that is four times as busy: with any number of readers on fast networks, sending takes
/// part of one processor, as writing does.
pub(super) const EACH: Duration = Duration::from_micros(200);

/// How far ahead turns are granted at once, since timers have a resolution of a millisecond.
const AHEAD: Duration = Duration::from_millis(1);

/// The time of the next turn.
#[derive(Default)]
pub(super) struct Pace(Option<Instant>);

impl Pace {
    /// Takes a turn. Returns until when it must wait, if at all.
    pub(super) fn take(&mut self, now: Instant) -> Option<Instant> {
        let next = self.0.map_or(now, |next| next.max(now)) + EACH;
        self.0 = Some(next);
        let at = next - AHEAD;
        (at > now).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_few_turns_come_at_once_and_the_others_at_the_pace() {
        let mut pace = Pace::default();
        let begin = Instant::now();
        let waits: Vec<Duration> = (0..1_000)
            .map(|_| pace.take(begin).map_or(Duration::ZERO, |at| at - begin))
            .collect();
        assert_eq!(waits[..5], [Duration::ZERO; 5]);
        assert_eq!(waits[5], EACH);
        assert_eq!(waits[999], 995 * EACH);
        // A later turn does not wait.
        let later = begin + Duration::from_secs(1);
        assert_eq!(pace.take(later), None);
    }
}
