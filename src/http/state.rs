//! State of a request in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, StatusCode};

use super::answer::{content_length, is_event_stream};
use super::labels::Chosen;
use super::outcome::{End, Outcome};
use super::protocol::State;
use super::session::HttpSession;
use crate::exchange::{Current, Ended, Open};
use crate::util::Verb;

/// The size of a body that does not declare it.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// A flag in the number of bytes read: the request body has failed.
pub(super) const BROKEN_OFF: u64 = 1 << 63;

/// An additional flag: it failed because the client is gone.
pub(super) const CLIENT_GONE: u64 = 1 << 62;

/// State of a request in flight.
pub(crate) struct Progress {
    /// The weight of the request in the histograms.
    pub(super) stands_for: u32,
    /// The status code sent, 0 before there is one.
    pub(super) status: u16,
    pub(super) stage: Stage,
    /// The session of the connection, if the request asks for an upgrade.
    pub(super) upgrade: Option<HttpSession>,
    /// The values of the response labels.
    pub(super) labels: Chosen,
    /// The declared size of the body.
    pub(super) promised: u64,
    /// The size sent so far.
    pub(super) sent: u64,
    /// Whether the request has a body that is counted in `read`.
    reading: bool,
    /// Kept for the next request if this one does not use it.
    read: Option<Arc<AtomicU64>>,
}

/// The stage of the response.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stage {
    /// There is no response yet.
    Called,
    /// There are headers; the time to first byte is not recorded yet.
    Headers,
    /// The first byte was sent.
    Body,
    /// The request was recorded at its headers, and the response is a session, of which only the
    /// lifetime is measured.
    Session,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            stands_for: 0,
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
}

impl Progress {
    /// Resets the state left by an earlier request.
    #[inline]
    pub(super) fn renew(&mut self, stands_for: u32) {
        self.stands_for = stands_for;
        self.status = 0;
        self.stage = Stage::Called;
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
            // None yet, or the body of an earlier request that is still held.
            _ => Arc::default(),
        };
        self.reading = true;
        self.read = Some(Arc::clone(&read));
        read
    }

    /// Records the time to first byte, once.
    #[inline]
    fn first_byte_at(&mut self, took: f64, open: &Open) {
        if self.stage == Stage::Headers {
            self.stage = Stage::Body;
            for histogram in &open.first_byte {
                histogram.observe_n(took, self.stands_for);
            }
        }
    }

    /// Whether the declared size has been sent.
    #[inline]
    pub(super) fn is_all_sent(&self) -> bool {
        self.sent >= self.promised
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

    /// Whether the request body has failed: for this reason, or for any.
    #[cold]
    pub(super) fn upload(&self, reason: u64) -> bool {
        let read = self.read.as_ref().filter(|_| self.reading);
        read.is_some_and(|read| read.load(Ordering::Relaxed) & reason != 0)
    }
}

impl State {
    /// The seconds since the start.
    #[inline]
    fn seconds(&self) -> Option<f64> {
        self.elapsed().map(|took| took.as_secs_f64())
    }

    /// Records the time to first byte, once the headers were sent.
    #[inline]
    pub(super) fn first_byte(&mut self) {
        if self.progress.stage == Stage::Headers
            && let Some(took) = self.seconds()
        {
            self.first_byte_at(took);
        }
    }

    #[inline]
    fn first_byte_at(&mut self, took: f64) {
        self.progress.first_byte_at(took, &self.series.open());
    }

    /// Whether HTTP allows this response no body, whatever the handler returned: the server drops
    /// it unread, which is no early end. RFC 9110, sections 6.4.1 and 9.3.6.
    pub(super) fn bodiless(&self, status: StatusCode) -> bool {
        status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || self.series.name.verb() == Verb::Head
            || self.upgraded(status)
    }

    /// Whether the connection is no longer HTTP.
    pub(super) fn upgraded(&self, status: StatusCode) -> bool {
        status == StatusCode::SWITCHING_PROTOCOLS
            || (self.series.name.verb() == Verb::Connect && status.is_success())
    }

    /// Called for a body without a known size. If it is a session, the request is recorded now.
    pub(super) fn of_unknown_size(&mut self, headers: &HeaderMap) {
        self.progress.promised = content_length(headers).unwrap_or(UNKNOWN);
        if is_event_stream(headers) || self.opens_session() {
            let took = self.seconds();
            if let Some(took) = took {
                self.first_byte_at(took);
            }
            self.progress.stage = Stage::Session;
            self.count(End::Complete, took);
        }
    }

    /// Whether this is a stream declared by the application. An error response is none, in pieces
    /// or not.
    fn opens_session(&self) -> bool {
        self.series.name.streams && (200..300).contains(&self.progress.status)
    }

    #[inline]
    fn handles(&self, end: End) -> Current<'_, Ended> {
        let sent = self.progress.status;
        self.ended((Outcome { sent, end }, self.progress.labels))
    }

    #[inline]
    fn count(&self, end: End, took: Option<f64>) -> Current<'_, Ended> {
        let sent = self.progress.status;
        let good = Outcome { sent, end }.is_good();
        self.series.recorder.traffic.count(good);
        let ended = self.handles(end);
        ended.count(took, self.progress.stands_for, self.trace);
        ended
    }

    #[inline]
    pub(super) fn close(&mut self, end: End) {
        // One clock reading: if the whole body was ready at once, its first and last byte are
        // handed over together.
        let took = self.seconds();
        // A recorded request has the in-flight series too, even if it was never pending.
        {
            let open = self.series.open();
            if let Some(took) = took {
                self.progress.first_byte_at(took, &open);
            }
        }
        let ended = if self.progress.stage == Stage::Session {
            self.end_session(took);
            self.handles(End::Complete)
        } else {
            if let (Some(load), Some(took)) = (&self.series.recorder.load, took) {
                load.took(took);
            }
            self.count(end, took)
        };
        if took.is_some() {
            for histogram in &ended.request_sizes {
                histogram.observe_n(self.progress.bytes_read(), self.progress.stands_for);
            }
            for histogram in &ended.response_sizes {
                histogram.observe_n(self.progress.sent as f64, self.progress.stands_for);
            }
        }
    }

    #[cold]
    fn end_session(&self, took: Option<f64>) {
        if let Some(took) = took {
            let series = &self.series;
            for histogram in series.name.sessions(&series.recorder) {
                histogram.observe_n(took, self.progress.stands_for);
            }
        }
    }
}
