use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::response::Parts;
use http::{Extensions, HeaderMap, StatusCode, header};
use http_body::Body;

use super::labels::Chosen;
use super::names::Ended;
use super::outcome::{End, Outcome};
use super::series::Series;
use super::session::HttpSession;
use crate::trace::Trace;
use crate::util::{Mark, Spare, Unrecorded, Verb};

/// One request on its way. It travels from the call through the future into the response
/// body, and whatever becomes of those, it records the request exactly once: where it is told
/// of the end, or else where it is dropped.
///
/// It is one pointer: futures and responses are moved many times between the layers of a
/// stack, and a move of fields that were just written makes the processor wait for the stores.
/// The state behind it is used again for the next request.
#[derive(Default)]
pub(super) struct Guard(Option<Box<State>>);

thread_local! {
    static SPARE: Spare<State> = const { Spare::new() };
}

/// The size of a body that does not say it.
const UNKNOWN: u64 = u64::MAX;

/// Set in the number of bytes read once the body of the request has failed.
pub(super) const BROKEN_OFF: u64 = 1 << 63;

struct State {
    /// Those of the last request until there is a next, which spares the count of references
    /// where that is of the same.
    series: Arc<Series>,
    /// When it began, if it is in the sample.
    start: Option<Mark>,
    /// For how many requests it stands in the histograms.
    stands_for: u32,
    /// The status code sent, 0 before there is one.
    status: u16,
    stage: Stage,
    /// What the connection may become, where the request asks for another protocol.
    upgrade: Option<HttpSession>,
    trace: Trace,
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

/// How far the response has come.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// There is none yet.
    Called,
    /// There are headers; the time to the first byte is still to be recorded.
    Headers,
    /// The first byte has gone.
    Body,
    /// The request has been recorded at its headers, and this is a session that goes on,
    /// measured by its length alone.
    Session,
}

impl Guard {
    /// Begins a request; `timed` says when and for how many it stands, if it is in the sample.
    #[inline]
    pub(super) fn new(series: &Arc<Series>, timed: Option<(Mark, u32)>, trace: Trace) -> Self {
        for gauge in &series.open.in_flight {
            gauge.inc();
        }
        Self(Some(match Spare::take(&SPARE) {
            Some(mut state) => {
                state.reuse(series, timed, trace);
                state
            }
            None => Box::new(State::new(series, timed, trace)),
        }))
    }

    /// Whether anything is recorded.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Code of the application begins to run.
    #[inline]
    pub(super) fn inside(&mut self) -> Inside<'_> {
        Inside(self)
    }

    /// Gives the application what it is to hold on to if it grants the upgrade that the request
    /// asks for.
    #[cold]
    pub(super) fn offer_session(&mut self, extensions: &mut Extensions) {
        if let Some(state) = &mut self.0 {
            let session = HttpSession::new(&state.series, state.start, state.stands_for);
            state.upgrade = Some(session.clone());
            extensions.insert(session);
        }
    }

    /// Where the bytes of the request body are to be counted, if anything is.
    #[inline]
    pub(super) fn count_request(&mut self) -> Option<Arc<AtomicU64>> {
        self.0.as_mut().map(|state| state.count_request())
    }

    /// The response has begun. Afterwards the guard [is on](Self::is_on) if there is a body to
    /// wait for; if not, the request is over.
    #[inline]
    pub(super) fn begun(&mut self, head: &Parts, body: &impl Body) {
        let Some(state) = &mut self.0 else { return };
        state.status = sent(head.status);
        state.stage = Stage::Headers;
        let inside = self.inside();
        let labels = inside.choose(&head.extensions);
        let over = || body.is_end_stream().then_some(0);
        let size = body.size_hint().exact().or_else(over);
        inside.left();
        let Some(state) = &mut self.0 else { return };
        state.labels = labels;
        state.trace.begun(&head.extensions);
        // Neither is common, and one branch is cheaper than two.
        if (head.status.is_server_error() || !head.extensions.is_empty()) && self.is_settled(head) {
            return;
        }
        let Some(state) = &mut self.0 else { return };
        if size == Some(0) || state.bodiless(head.status) {
            if let Some(upgrade) = state.upgrade.take()
                && state.upgraded(head.status)
            {
                upgrade.granted();
            }
            self.end(End::Complete);
        } else if let Some(size) = size {
            state.promised = size;
        } else {
            state.of_unknown_size(&head.headers);
        }
    }

    /// The body has nothing to hand over yet.
    #[inline]
    pub(super) fn waits(&mut self) {
        if let Some(state) = &mut self.0 {
            state.first_byte();
        }
    }

    /// Bytes of the body have been handed over; `over` says whether the body says that these
    /// were the last.
    #[inline]
    pub(super) fn passed(&mut self, bytes: usize, over: impl FnOnce() -> bool) {
        let Some(state) = &mut self.0 else { return };
        state.sent = state.sent.saturating_add(bytes as u64);
        // Servers ask for the end too, and then never for the frame after the last.
        if state.sent >= state.promised || over() {
            self.over();
        } else {
            state.first_byte();
        }
    }

    /// The body has nothing more to hand over.
    #[inline]
    pub(super) fn over(&mut self) {
        let Some(state) = &self.0 else { return };
        // Short of what the headers promise, the server cannot end the response, and breaks off.
        let short = state.sent < state.promised && state.promised != UNKNOWN;
        self.end(if short { End::Failed } else { End::Complete });
    }

    /// The service or the body has failed; not of itself where it was reading a request that did.
    #[cold]
    pub(super) fn failed(&mut self) {
        let broken_off = self.0.as_ref().is_some_and(|state| state.broken_off());
        self.end(if broken_off {
            End::Dropped
        } else {
            End::Failed
        });
    }

    /// Ends the request at its headers where the body of the response does not matter: it is not
    /// to be recorded, or the error of the server tells but of the client.
    #[cold]
    fn is_settled(&mut self, head: &Parts) -> bool {
        let Some(state) = &mut self.0 else {
            return true;
        };
        if head.extensions.get::<Unrecorded>().is_some() {
            state.leave();
            self.0 = None;
            true
        } else if head.status.is_server_error() && state.broken_off() {
            self.end(End::Dropped);
            true
        } else {
            false
        }
    }

    /// Records the request, unless it has been.
    #[inline]
    pub(super) fn end(&mut self, end: End) {
        if let Some(mut state) = self.0.take() {
            state.close(end);
            Spare::keep(&SPARE, state);
        }
    }
}

/// Code of the application runs on top of a guard. If this is dropped and not [left](Self::left),
/// that code has panicked, and this is the unwinding.
pub(super) struct Inside<'a>(&'a mut Guard);

impl Inside<'_> {
    /// The code has returned.
    #[inline]
    pub(super) fn left(self) {
        std::mem::forget(self);
    }

    /// The values of the response labels.
    #[inline]
    fn choose(&self, extensions: &Extensions) -> Chosen {
        let recorder = self.0.0.as_ref().map(|state| &state.series.recorder);
        recorder.map_or_else(Chosen::default, |recorder| {
            recorder.response_labels.choose(extensions)
        })
    }
}

impl Drop for Inside<'_> {
    #[cold]
    fn drop(&mut self) {
        self.0.end(End::Panicked);
    }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        let Some(state) = &self.0 else { return };
        let end = if state.sent >= state.promised {
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
    fn new(series: &Arc<Series>, timed: Option<(Mark, u32)>, trace: Trace) -> Self {
        Self {
            trace,
            series: Arc::clone(series),
            start: timed.map(|(start, _)| start),
            stands_for: timed.map_or(0, |(_, stands_for)| stands_for),
            status: 0,
            stage: Stage::Called,
            upgrade: None,
            labels: Chosen::default(),
            promised: UNKNOWN,
            sent: 0,
            reading: false,
            read: None,
        }
    }

    /// Begins anew with what an earlier request has left.
    #[inline]
    fn reuse(&mut self, series: &Arc<Series>, timed: Option<(Mark, u32)>, trace: Trace) {
        self.trace = trace;
        if !Arc::ptr_eq(&self.series, series) {
            self.series = Arc::clone(series);
        }
        self.start = timed.map(|(start, _)| start);
        self.stands_for = timed.map_or(0, |(_, stands_for)| stands_for);
        self.status = 0;
        self.stage = Stage::Called;
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

    /// Seconds since it began.
    #[inline]
    fn elapsed(&self) -> Option<f64> {
        let start = self.start?;
        Some(self.series.recorder.clock.since(start).as_secs_f64())
    }

    /// The headers have gone, and with them the first byte.
    #[inline]
    fn first_byte(&mut self) {
        if self.stage == Stage::Headers
            && let Some(took) = self.elapsed()
        {
            self.first_byte_at(took);
        }
    }

    #[inline]
    fn first_byte_at(&mut self, took: f64) {
        if self.stage == Stage::Headers {
            self.stage = Stage::Body;
            for histogram in &self.series.open.first_byte {
                histogram.observe_n(took, self.stands_for);
            }
        }
    }

    /// Whether HTTP gives this response no body, whatever the handler returned: the server
    /// drops that body unread, which is no early end. RFC 9110, sections 6.4.1 and 9.3.6.
    fn bodiless(&self, status: StatusCode) -> bool {
        status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || self.series.verb() == Verb::Head
            || self.upgraded(status)
    }

    /// Whether the connection is not HTTP any more.
    fn upgraded(&self, status: StatusCode) -> bool {
        status == StatusCode::SWITCHING_PROTOCOLS
            || (self.series.verb() == Verb::Connect && status.is_success())
    }

    /// A body that does not say its size. Where it is a stream that lives until somebody has
    /// enough, the request is recorded now.
    fn of_unknown_size(&mut self, headers: &HeaderMap) {
        self.promised = content_length(headers).unwrap_or(UNKNOWN);
        if is_event_stream(headers) || self.opens_session() {
            let took = self.elapsed();
            if let Some(took) = took {
                self.first_byte_at(took);
            }
            self.stage = Stage::Session;
            self.count(End::Complete, took);
        }
    }

    /// Whether this is a stream that the application has declared one. What answers with an error
    /// there is an answer, in pieces or not.
    fn opens_session(&self) -> bool {
        self.series.streams && (200..300).contains(&self.status)
    }

    #[inline]
    fn handles(&self, end: End) -> &Ended {
        let sent = self.status;
        self.series.ended(Outcome { sent, end }, self.labels)
    }

    #[inline]
    fn count(&self, end: End, took: Option<f64>) -> &Ended {
        let sent = self.status;
        let good = Outcome { sent, end }.is_good();
        self.series.recorder.traffic.count(good);
        let ended = self.handles(end);
        for counter in &ended.requests {
            counter.inc();
        }
        if let Some(took) = took {
            for timing in &ended.durations {
                let took = took * timing.per_second;
                timing.histogram.observe_n(took, self.stands_for);
                self.trace.exemplify(&timing.histogram, took);
            }
        }
        ended
    }

    #[inline]
    fn close(&mut self, end: End) {
        // One reading for all: where the whole body was there at once, the first byte and the
        // last are handed over together.
        let took = self.elapsed();
        if let Some(took) = took {
            self.first_byte_at(took);
        }
        let ended = if self.stage == Stage::Session {
            self.end_session(took);
            self.handles(End::Complete)
        } else {
            self.count(end, took)
        };
        if took.is_some() {
            for histogram in &ended.request_sizes {
                histogram.observe_n(self.bytes_read(), self.stands_for);
            }
            for histogram in &ended.response_sizes {
                histogram.observe_n(self.sent as f64, self.stands_for);
            }
        }
        self.leave();
    }

    #[inline]
    fn leave(&mut self) {
        self.upgrade = None;
        for gauge in &self.series.open.in_flight {
            gauge.dec();
        }
    }

    #[cold]
    fn end_session(&self, took: Option<f64>) {
        if let Some(took) = took {
            for histogram in self.series.sessions() {
                histogram.observe_n(took, self.stands_for);
            }
        }
    }

    #[inline]
    fn bytes_read(&self) -> f64 {
        match &self.read {
            Some(read) if self.reading => (read.load(Ordering::Relaxed) & !BROKEN_OFF) as f64,
            _ => 0.0,
        }
    }

    /// Whether the body of the request has failed, which is the doing of the client: whatever is
    /// made of it (axum's `Multipart` makes a 500, a proxy a 502) is no fault of the server.
    #[cold]
    fn broken_off(&self) -> bool {
        let read = self.read.as_ref().filter(|_| self.reading);
        read.is_some_and(|read| read.load(Ordering::Relaxed) & BROKEN_OFF != 0)
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

/// The status that the client is sent. An informational one is no answer: a server that is handed
/// it says so, with 500. RFC 9110, section 15.2.
fn sent(status: StatusCode) -> u16 {
    let answer = !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS;
    let answer = answer.then_some(status);
    answer.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).as_u16()
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

const EVENT_STREAM: &[u8] = b"text/event-stream";

fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.as_bytes().get(..EVENT_STREAM.len()));
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case(EVENT_STREAM))
}
