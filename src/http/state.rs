//! What is known of a request on its way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, StatusCode};

use super::answer::{content_length, is_event_stream};
use super::labels::Chosen;
use super::names::Ended;
use super::outcome::{End, Outcome};
use super::series::Series;
use super::session::HttpSession;
use crate::trace::Trace;
use crate::util::{Mark, Verb};

/// The size of a body that does not say it.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// Set in the number of bytes read once the body of the request has failed.
pub(super) const BROKEN_OFF: u64 = 1 << 63;

/// Set besides if that was because the client has gone.
pub(super) const CLIENT_GONE: u64 = 1 << 62;

pub(super) struct State {
    /// Those of the last request until there is a next, which spares the count of references
    /// where that is of the same.
    pub(super) series: Arc<Series>,
    /// When it began, if it is in the sample.
    pub(super) start: Option<Mark>,
    /// For how many requests it stands in the histograms.
    pub(super) stands_for: u32,
    /// The status code sent, 0 before there is one.
    pub(super) status: u16,
    pub(super) stage: Stage,
    /// Whether it is counted as in flight.
    pub(super) in_flight: bool,
    /// What the connection may become, where the request asks for another protocol.
    pub(super) upgrade: Option<HttpSession>,
    pub(super) trace: Trace,
    /// The values of the response labels.
    pub(super) labels: Chosen,
    /// How many bytes of body there are to be.
    pub(super) promised: u64,
    /// How many there have been.
    pub(super) sent: u64,
    /// Whether the request has a body that is counted, in `read`.
    pub(super) reading: bool,
    /// Kept for the next request if this one has no use for it.
    pub(super) read: Option<Arc<AtomicU64>>,
}

/// How far the response has come.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stage {
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

impl State {
    #[cold]
    pub(super) fn new(series: &Arc<Series>, timed: Option<(Mark, u32)>, trace: Trace) -> Self {
        Self {
            trace,
            series: Arc::clone(series),
            start: timed.map(|(start, _)| start),
            stands_for: timed.map_or(0, |(_, stands_for)| stands_for),
            status: 0,
            stage: Stage::Called,
            in_flight: false,
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
    pub(super) fn reuse(&mut self, series: &Arc<Series>, timed: Option<(Mark, u32)>, trace: Trace) {
        self.trace = trace;
        if !Arc::ptr_eq(&self.series, series) {
            self.series = Arc::clone(series);
        }
        self.start = timed.map(|(start, _)| start);
        self.stands_for = timed.map_or(0, |(_, stands_for)| stands_for);
        self.status = 0;
        self.stage = Stage::Called;
        self.in_flight = false;
        self.labels = Chosen::default();
        self.promised = UNKNOWN;
        self.sent = 0;
        self.reading = false;
    }

    pub(super) fn count_request(&mut self) -> Arc<AtomicU64> {
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
    pub(super) fn elapsed(&self) -> Option<f64> {
        let start = self.start?;
        Some(self.series.recorder.clock.since(start).as_secs_f64())
    }

    /// The headers have gone, and with them the first byte.
    #[inline]
    pub(super) fn first_byte(&mut self) {
        if self.stage == Stage::Headers
            && let Some(took) = self.elapsed()
        {
            self.first_byte_at(took);
        }
    }

    #[inline]
    pub(super) fn first_byte_at(&mut self, took: f64) {
        if self.stage == Stage::Headers {
            self.stage = Stage::Body;
            for histogram in &self.series.open().first_byte {
                histogram.observe_n(took, self.stands_for);
            }
        }
    }

    /// Whether HTTP gives this response no body, whatever the handler returned: the server
    /// drops that body unread, which is no early end. RFC 9110, sections 6.4.1 and 9.3.6.
    pub(super) fn bodiless(&self, status: StatusCode) -> bool {
        status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || self.series.verb() == Verb::Head
            || self.upgraded(status)
    }

    /// Whether the connection is not HTTP any more.
    pub(super) fn upgraded(&self, status: StatusCode) -> bool {
        status == StatusCode::SWITCHING_PROTOCOLS
            || (self.series.verb() == Verb::Connect && status.is_success())
    }

    /// A body that does not say its size. Where it is a stream that lives until somebody has
    /// enough, the request is recorded now.
    pub(super) fn of_unknown_size(&mut self, headers: &HeaderMap) {
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
    pub(super) fn opens_session(&self) -> bool {
        self.series.streams && (200..300).contains(&self.status)
    }

    #[inline]
    pub(super) fn handles(&self, end: End) -> &Ended {
        let sent = self.status;
        self.series.ended(Outcome { sent, end }, self.labels)
    }

    #[inline]
    pub(super) fn count(&self, end: End, took: Option<f64>) -> &Ended {
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
    pub(super) fn close(&mut self, end: End) {
        // One reading for all: where the whole body was there at once, the first byte and the
        // last are handed over together.
        let took = self.elapsed();
        // What is recorded has the series of what goes on, too, though it never had to wait.
        self.series.open();
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
    pub(super) fn leave(&mut self) {
        self.upgrade = None;
        if self.in_flight {
            self.series.open().leave();
        }
    }

    /// The first request of its series goes on.
    #[cold]
    pub(super) fn enter(&mut self) {
        self.series.open().enter();
        self.in_flight = true;
    }

    #[cold]
    pub(super) fn end_session(&self, took: Option<f64>) {
        if let Some(took) = took {
            for histogram in self.series.sessions() {
                histogram.observe_n(took, self.stands_for);
            }
        }
    }

    #[inline]
    pub(super) fn bytes_read(&self) -> f64 {
        match &self.read {
            Some(read) if self.reading => {
                (read.load(Ordering::Relaxed) & !(BROKEN_OFF | CLIENT_GONE)) as f64
            }
            _ => 0.0,
        }
    }

    /// Whether the body of the request has failed: for this reason, or for any.
    #[cold]
    pub(super) fn upload(&self, reason: u64) -> bool {
        let read = self.read.as_ref().filter(|_| self.reading);
        read.is_some_and(|read| read.load(Ordering::Relaxed) & reason != 0)
    }
}
