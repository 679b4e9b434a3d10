use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, StatusCode, header};
use http_body::Body;

use super::method::Verb;
use super::outcome::{End, Outcome};
use super::series::Series;

/// One request on its way. It travels from the call through the future into the response
/// body, and whatever becomes of those, it records the request exactly once: where it is told
/// of the end, or else where it is dropped.
pub(super) struct Guard {
    series: Arc<Series>,
    /// When it began and for how many it stands; `None` where it is not in the sample.
    timed: Option<(Instant, u32)>,
    /// The status code sent, 0 before there is one.
    status: u16,
    /// Whether code of the application runs on top of the guard. If it is dropped then, that
    /// code has panicked and this is the unwinding.
    inside: bool,
    ended: bool,
    /// How many bytes of body there are to be, where that is known.
    promised: Option<u64>,
    /// How many there have been.
    sent: u64,
}

impl Guard {
    #[inline]
    pub(super) fn new(series: Arc<Series>, timed: Option<(Instant, u32)>) -> Self {
        series.recorder.metrics.in_flight.inc();
        Self {
            series,
            timed,
            status: 0,
            inside: false,
            ended: false,
            promised: None,
            sent: 0,
        }
    }

    /// Runs code of the application, and knows if that never returns.
    #[inline]
    pub(super) fn around<T>(guard: Option<&mut Self>, run: impl FnOnce() -> T) -> T {
        let Some(guard) = guard else { return run() };
        guard.inside = true;
        let result = run();
        guard.inside = false;
        result
    }

    /// The response has begun. Returns whether there is a body to wait for; if there is none,
    /// the request is over.
    #[inline]
    pub(super) fn begun(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &impl Body,
    ) -> bool {
        self.status = status.as_u16();
        if self.bodiless(status) || body.is_end_stream() {
            self.end(End::Complete);
            return false;
        }
        self.promised = body.size_hint().exact().or_else(|| content_length(headers));
        true
    }

    /// Whether HTTP gives this response no body, whatever the handler returned: the server
    /// drops that body unread, which is no early end. RFC 9110, sections 6.4.1 and 9.3.6.
    fn bodiless(&self, status: StatusCode) -> bool {
        status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || self.series.verb == Verb::Head
            || (self.series.verb == Verb::Connect && status.is_success())
    }

    #[inline]
    pub(super) fn passed(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes as u64);
    }

    /// Records the request, unless it has been.
    #[inline]
    pub(super) fn end(&mut self, end: End) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let recorder = &self.series.recorder;
        let ended = self.series.ended(Outcome {
            sent: self.status,
            end,
        });
        ended.requests.inc();
        if let Some((start, stands_for)) = self.timed {
            let took = recorder.clock.now().saturating_duration_since(start);
            ended.duration.observe_n(took.as_secs_f64(), stands_for);
        }
        recorder.metrics.in_flight.dec();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let end = if self.inside {
            End::Panicked
        } else if self.promised == Some(self.sent) {
            // A server that knows the length need not ask for the end after the last byte.
            End::Complete
        } else {
            End::Dropped
        };
        self.end(end);
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("series", &self.series)
            .field("status", &self.status)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
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
