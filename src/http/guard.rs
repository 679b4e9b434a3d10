use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::response::Parts;
use http::{HeaderMap, StatusCode, header};
use http_body::Body;

use super::labels::Chosen;
use super::names::Ended;
use super::outcome::{End, Outcome};
use super::series::Series;
use super::spare;
use crate::util::Verb;

/// One request on its way. It travels from the call through the future into the response
/// body, and whatever becomes of those, it records the request exactly once: where it is told
/// of the end, or else where it is dropped.
///
/// It is one pointer: futures and responses are moved many times between the layers of a
/// stack, and a move of fields that were just written makes the processor wait for the stores.
/// The state behind it is used again for the next request; see [`spare`].
#[derive(Default)]
pub(super) struct Guard(Option<Box<State>>);

/// The size of a body that does not say it.
const UNKNOWN: u64 = u64::MAX;

pub(super) struct State {
    series: Arc<Series>,
    /// When it began, if it is in the sample.
    start: Option<Instant>,
    /// For how many requests it stands in the histograms.
    stands_for: u32,
    /// The status code sent, 0 before there is one.
    status: u16,
    /// Whether code of the application runs on top of the guard. If it is dropped then, that
    /// code has panicked and this is the unwinding.
    inside: bool,
    /// Whether the request has been recorded at its headers, and this is a session that goes
    /// on, measured by its length alone.
    session: bool,
    /// The values of the response labels.
    labels: Chosen,
    /// How many bytes of body there are to be.
    promised: u64,
    /// How many there have been.
    sent: u64,
    /// Whether the request has a body that is counted, in `read`.
    reading: bool,
    /// Kept for the next request if this one has no use for it.
    read: Option<Arc<AtomicU64>>,
}

impl Guard {
    /// Begins a request; `timed` says when and for how many it stands, if it is in the sample.
    #[inline]
    pub(super) fn new(series: &Arc<Series>, timed: Option<(Instant, u32)>) -> Self {
        for gauge in &series.open.in_flight {
            gauge.inc();
        }
        Self(Some(spare::take(series, timed)))
    }

    /// Whether anything is recorded.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Whether code of the application begins to run or has ended.
    #[inline]
    pub(super) fn inside(&mut self, inside: bool) {
        if let Some(state) = &mut self.0 {
            state.inside = inside;
        }
    }

    /// Where the bytes of the request body are to be counted, if they are.
    #[inline]
    pub(super) fn count_request(&mut self) -> Option<Arc<AtomicU64>> {
        let state = self.0.as_mut()?;
        state.start.map(|_| state.count_request())
    }

    /// The response has begun. Afterwards the guard [is on](Self::is_on) if there is a body to
    /// wait for; if not, the request is over.
    #[inline]
    pub(super) fn begun(&mut self, head: &Parts, body: &impl Body) {
        let Some(state) = &mut self.0 else { return };
        state.status = head.status.as_u16();
        state.inside = true;
        let labels = &state.series.recorder.response_labels;
        state.labels = labels.choose(&head.extensions);
        let size = body.size_hint().exact();
        state.inside = false;
        let first = state.first_byte();
        if size == Some(0) || state.bodiless(head.status) {
            self.close(End::Complete, first);
        } else if let Some(size) = size {
            state.promised = size;
        } else {
            state.of_unknown_size(&head.headers, first);
        }
    }

    /// Bytes of the body have been handed over. Returns whether they were the last ones, as
    /// far as that is known.
    #[inline]
    pub(super) fn passed(&mut self, bytes: usize) -> bool {
        let Some(state) = &mut self.0 else {
            return false;
        };
        state.sent = state.sent.saturating_add(bytes as u64);
        state.sent == state.promised
    }

    /// Records the request, unless it has been.
    #[inline]
    pub(super) fn end(&mut self, end: End) {
        if let Some(state) = &self.0 {
            let took = state.elapsed();
            self.close(end, took);
        }
    }

    #[inline]
    fn close(&mut self, end: End, took: Option<Duration>) {
        if let Some(state) = self.0.take() {
            state.close(end, took);
            spare::keep(state);
        }
    }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        let Some(state) = &self.0 else { return };
        let end = if state.inside {
            End::Panicked
        } else if state.promised == state.sent {
            // A server that knows the length need not ask for the end after the last byte.
            End::Complete
        } else {
            End::Dropped
        };
        self.end(end);
    }
}

impl State {
    #[cold]
    pub(super) fn new(series: &Arc<Series>, timed: Option<(Instant, u32)>) -> Self {
        Self {
            series: Arc::clone(series),
            start: timed.map(|(start, _)| start),
            stands_for: timed.map_or(0, |(_, stands_for)| stands_for),
            status: 0,
            inside: false,
            session: false,
            labels: Chosen::default(),
            promised: UNKNOWN,
            sent: 0,
            reading: false,
            read: None,
        }
    }

    /// Begins anew with what an earlier request has left.
    #[inline]
    pub(super) fn reuse(&mut self, series: &Arc<Series>, timed: Option<(Instant, u32)>) {
        if !Arc::ptr_eq(&self.series, series) {
            self.series = Arc::clone(series);
        }
        self.start = timed.map(|(start, _)| start);
        self.stands_for = timed.map_or(0, |(_, stands_for)| stands_for);
        self.status = 0;
        self.inside = false;
        self.session = false;
        self.labels = Chosen::default();
        self.promised = UNKNOWN;
        self.sent = 0;
        self.reading = false;
    }

    fn count_request(&mut self) -> Arc<AtomicU64> {
        let read = match self.read.take() {
            Some(read) if Arc::strong_count(&read) == 1 => {
                read.store(0, Ordering::Relaxed);
                read
            }
            // None yet, or the body of an earlier request that somebody still holds.
            _ => Arc::default(),
        };
        self.reading = true;
        self.read = Some(Arc::clone(&read));
        read
    }

    #[inline]
    fn elapsed(&self) -> Option<Duration> {
        let start = self.start?;
        let now = self.series.recorder.clock.now();
        Some(now.saturating_duration_since(start))
    }

    #[inline]
    fn first_byte(&self) -> Option<Duration> {
        let took = self.elapsed()?;
        for histogram in &self.series.open.first_byte {
            histogram.observe_n(took.as_secs_f64(), self.stands_for);
        }
        Some(took)
    }

    /// Whether HTTP gives this response no body, whatever the handler returned: the server
    /// drops that body unread, which is no early end. RFC 9110, sections 6.4.1 and 9.3.6.
    fn bodiless(&self, status: StatusCode) -> bool {
        status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || self.series.verb() == Verb::Head
            || (self.series.verb() == Verb::Connect && status.is_success())
    }

    /// A body that does not say its size. Where it is a stream of events, which lives until
    /// somebody has enough, the request is recorded now.
    fn of_unknown_size(&mut self, headers: &HeaderMap, first: Option<Duration>) {
        self.promised = content_length(headers).unwrap_or(UNKNOWN);
        if is_event_stream(headers) {
            self.session = true;
            self.count(self.handles(End::Complete), first);
        }
    }

    #[inline]
    fn handles(&self, end: End) -> &Ended {
        let sent = self.status;
        self.series.ended(Outcome { sent, end }, self.labels)
    }

    #[inline]
    fn count(&self, ended: &Ended, took: Option<Duration>) {
        for counter in &ended.requests {
            counter.inc();
        }
        if let Some(took) = took {
            for timing in &ended.durations {
                let took = took.as_secs_f64() * timing.per_second;
                timing.histogram.observe_n(took, self.stands_for);
            }
        }
    }

    #[inline]
    fn close(&self, end: End, took: Option<Duration>) {
        let ended = if self.session {
            self.end_session(took);
            self.handles(End::Complete)
        } else {
            let ended = self.handles(end);
            self.count(ended, took);
            ended
        };
        if took.is_some() {
            for histogram in &ended.request_sizes {
                histogram.observe_n(self.bytes_read(), self.stands_for);
            }
            for histogram in &ended.response_sizes {
                histogram.observe_n(self.sent as f64, self.stands_for);
            }
        }
        for gauge in &self.series.open.in_flight {
            gauge.dec();
        }
    }

    fn end_session(&self, took: Option<Duration>) {
        if let Some(took) = took {
            for histogram in self.series.sessions() {
                histogram.observe_n(took.as_secs_f64(), self.stands_for);
            }
        }
    }

    #[inline]
    fn bytes_read(&self) -> f64 {
        match &self.read {
            Some(read) if self.reading => read.load(Ordering::Relaxed) as f64,
            _ => 0.0,
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(state) => f
                .debug_struct("Guard")
                .field("status", &state.status)
                .field("sent", &state.sent)
                .finish_non_exhaustive(),
            None => f.write_str("Guard(over)"),
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}
