use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::frames::FrameCounter;
use super::protocol::Series;
use crate::exchange::{Counts, Open};

/// Counts the messages in the body of a request.
#[derive(Debug)]
pub struct Messages {
    frames: FrameCounter,
    tally: Tally,
}

impl Messages {
    #[inline]
    pub(super) fn new(tally: Tally) -> Self {
        Self {
            frames: FrameCounter::default(),
            tally,
        }
    }
}

impl<B: Body<Data = Bytes>> Counts<B> for Messages {
    #[inline]
    fn passed(&mut self, frame: &Frame<Bytes>) {
        if let Some(data) = frame.data_ref() {
            self.tally.add(self.frames.feed(data));
        }
    }
}

/// The counter of a request's messages. The request body is separate from the call.
#[derive(Debug)]
pub(super) enum Tally {
    /// The series of the method: one reference count instead of one per handle.
    To(Arc<Series>),
    /// The method is not known yet.
    Later(Arc<Waiting>),
}

impl Tally {
    /// Counts to this method, if its messages are counted.
    #[inline]
    pub(super) fn to(series: &Arc<Series>, open: &Open) -> Option<Self> {
        let counted = !open.requests.is_empty();
        counted.then(|| Self::To(Arc::clone(series)))
    }

    #[inline]
    pub(super) fn add(&self, messages: u64) {
        if messages == 0 {
            return;
        }
        match self {
            Self::To(series) => add(series, messages),
            Self::Later(waiting) => waiting.add(messages),
        }
    }
}

#[inline]
fn add(series: &Series, messages: u64) {
    for requests in &series.open().requests {
        requests.add(messages);
    }
}

/// Messages counted before their method is known.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    messages: AtomicU64,
    series: OnceLock<Arc<Series>>,
}

impl Waiting {
    /// Adds messages, and hands them over if the method is known. This and [`Self::settle`] both
    /// modify `messages`, so the second one sees the first one's change and hands over; the swap
    /// empties it, so each message is counted once.
    fn add(&self, messages: u64) {
        self.messages.fetch_add(messages, Ordering::AcqRel);
        self.hand_over();
    }

    /// Sets the series for the messages so far and all later ones.
    pub(super) fn settle(&self, series: &Arc<Series>) {
        // Only the call that owns this settles it, once.
        let _ = self.series.set(Arc::clone(series));
        self.hand_over();
    }

    fn hand_over(&self) {
        if let Some(series) = self.series.get() {
            add(series, self.messages.swap(0, Ordering::AcqRel));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::GrpcMetrics;
    use crate::grpc::metrics::{self, Side};
    use crate::grpc::names::{GrpcNames, Name};
    use crate::grpc::protocol::Recorder;
    use crate::registry::{Counter, Registry};
    use crate::util::Clock;

    /// A method, and the counter of its messages.
    fn method(registry: &Registry) -> (Arc<Series>, Counter) {
        let recorder = Recorder {
            naming: metrics::declare(registry, Side::Server, GrpcNames::Catalog).unwrap(),
            clock: Clock::system(),
            trace: crate::trace::Source::default(),
            side: Side::Server,
            timeout: None,
            traffic: None,
        };
        let received = &registry.group::<GrpcMetrics>().unwrap().received;
        let counter = received.with(&["unknown", "unknown"]);
        let series = Series::new(&Arc::new(recorder), Name::unknown());
        (Arc::new(series), counter)
    }

    #[test]
    fn early_and_late_messages_are_counted_once() {
        let registry = Registry::new();
        let (series, counter) = method(&registry);
        let waiting = Arc::new(Waiting::default());
        let tally = Tally::Later(Arc::clone(&waiting));
        tally.add(2);
        assert_eq!(counter.get(), 0);
        waiting.settle(&series);
        assert_eq!(counter.get(), 2);
        tally.add(3);
        assert_eq!(counter.get(), 5);
    }

    #[test]
    fn none_is_lost_while_it_is_being_settled() {
        let registry = Registry::new();
        let (series, counter) = method(&registry);
        for _ in 0..200 {
            let waiting = Arc::new(Waiting::default());
            std::thread::scope(|scope| {
                scope.spawn(|| (0..50).for_each(|_| waiting.add(1)));
                waiting.settle(&series);
            });
        }
        assert_eq!(counter.get(), 200 * 50);
    }
}
