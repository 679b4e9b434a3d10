use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::response::Parts;
use http_body::Body;

use super::error::OwnKinds;
use super::hosts::Hosts;
use super::names::{Ended, Name, Naming, Open};
use crate::trace::{Source, Trace};
use crate::util::{Chain, Clock, Mark, RequestHead, Verb};

/// How an outgoing request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a response of this status.
    Status(u16),
    /// With an error of this kind, before the headers.
    Error(&'static str),
    /// With an error in the response body.
    Body,
    /// The future was dropped before there was a response.
    Cancelled,
    /// The service or the body panicked.
    Panicked,
}

impl End {
    /// The value of the label `status`.
    pub(super) fn label(self, digits: &mut itoa::Buffer) -> &str {
        match self {
            Self::Status(status) => digits.format(status),
            Self::Error(kind) => kind,
            Self::Body => "body_error",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panic",
        }
    }
}

/// What all services of a layer share.
pub(super) struct Shared {
    pub(super) names: Vec<Arc<dyn Naming>>,
    pub(super) hosts: Hosts,
    pub(super) own_kinds: Option<Arc<OwnKinds>>,
    pub(super) clock: Clock,
    pub(super) trace: Source,
    /// By place of the host, those not declared last.
    pub(super) series: Box<[Chain<Arc<Series>>]>,
}

impl Shared {
    /// Begins to record a request.
    pub(super) fn begin(self: &Arc<Self>, request: RequestHead<'_>) -> Call {
        let verb = Verb::of(request.method);
        let host = self.hosts.find(request.uri);
        let at = host.unwrap_or(self.hosts.len());
        let make = || {
            let host = host.and_then(|at| self.hosts.get(at)).cloned();
            Arc::new(Series::new(&self.names, Name { verb, host }))
        };
        let series = match self.series.get(at) {
            Some(of_host) => of_host
                .find_or_add(|series| series.name.verb == verb, make)
                .clone(),
            None => make(),
        };
        Call::new(Arc::clone(self), series, self.trace.of(request))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("names", &self.names)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// One host with one method, and the handles of its series.
#[derive(Debug)]
pub(super) struct Series {
    name: Name,
    open: Open,
    ends: Chain<(End, Ended)>,
}

impl Series {
    fn new(names: &[Arc<dyn Naming>], name: Name) -> Self {
        let mut open = Open::default();
        for names in names {
            names.open(&name, &mut open);
        }
        Self {
            name,
            open,
            ends: Chain::new(),
        }
    }

    /// The handles for one way to end: as many as there are status codes and kinds of errors.
    fn ended(&self, end: End, names: &[Arc<dyn Naming>]) -> &Ended {
        let (_, ended) = self.ends.find_or_add(
            |(known, _)| *known == end,
            || {
                let mut ended = Ended::default();
                for names in names {
                    names.end(&self.name, end, &mut ended);
                }
                (end, ended)
            },
        );
        ended
    }
}

/// One outgoing request on its way. It travels through the future into the response body, and
/// whatever becomes of those, it records the request exactly once: where it is told of the end, or
/// else where it is dropped.
#[derive(Default)]
pub(super) struct Call(Option<State>);

struct State {
    shared: Arc<Shared>,
    series: Arc<Series>,
    start: Mark,
    trace: Trace,
    /// The status received, 0 before there is one.
    status: u16,
    /// Whether code of the application runs on top of the call. If it is dropped then, that
    /// code has panicked and this is the unwinding.
    inside: bool,
    read: u64,
}

impl Call {
    fn new(shared: Arc<Shared>, series: Arc<Series>, trace: Trace) -> Self {
        for gauge in &series.open.in_flight {
            gauge.inc();
        }
        Self(Some(State {
            start: shared.clock.mark(),
            shared,
            series,
            trace,
            status: 0,
            inside: false,
            read: 0,
        }))
    }

    /// Whether code of the application begins to run or has ended.
    #[inline]
    pub(super) fn inside(&mut self, inside: bool) {
        if let Some(state) = &mut self.0 {
            state.inside = inside;
        }
    }

    /// The response has begun.
    pub(super) fn begun<B: Body>(&mut self, head: &Parts, body: &B) {
        let Some(state) = &mut self.0 else { return };
        state.status = head.status.as_u16();
        state.trace.begun(&head.extensions);
        let first_byte = &state.series.open.first_byte;
        if !first_byte.is_empty() {
            let took = state.elapsed().as_secs_f64();
            for histogram in first_byte {
                histogram.observe(took);
            }
        }
        if body.is_end_stream() {
            self.complete();
        }
    }

    /// There is no response, but this error; of this kind, if nothing more is known of it.
    pub(super) fn failed(
        &mut self,
        error: &(dyn std::error::Error + 'static),
        or_else: &'static str,
    ) {
        let Some(state) = &mut self.0 else { return };
        state.inside = true;
        let kind = super::error::kind(error, state.shared.own_kinds.as_deref());
        state.inside = false;
        self.end(End::Error(kind.unwrap_or(or_else)));
    }

    /// Bytes of the body have been read, the last ones if it is over.
    pub(super) fn passed(&mut self, bytes: usize, over: impl FnOnce() -> bool) {
        let Some(state) = &mut self.0 else { return };
        state.read = state.read.saturating_add(bytes as u64);
        if over() {
            self.complete();
        }
    }

    /// The body has ended.
    pub(super) fn complete(&mut self) {
        if let Some(state) = &self.0 {
            let status = state.status;
            self.end(End::Status(status));
        }
    }

    /// Records the request, unless it has been.
    pub(super) fn end(&mut self, end: End) {
        if let Some(state) = self.0.take() {
            state.close(end);
        }
    }
}

impl Drop for Call {
    /// Somebody has read enough of the body, or waits no longer for the response.
    fn drop(&mut self) {
        let Some(state) = &self.0 else { return };
        self.end(match state.status {
            _ if state.inside => End::Panicked,
            0 => End::Cancelled,
            status => End::Status(status),
        });
    }
}

impl State {
    fn elapsed(&self) -> Duration {
        self.shared.clock.since(self.start)
    }

    fn close(self, end: End) {
        let took = self.elapsed();
        let ended = self.series.ended(end, &self.shared.names);
        for counter in &ended.requests {
            counter.inc();
        }
        for histogram in &ended.durations {
            let took = took.as_secs_f64();
            histogram.observe(took);
            self.trace.exemplify(histogram, took);
        }
        if self.status != 0 {
            for histogram in &ended.sizes {
                histogram.observe(self.read as f64);
            }
        }
        for also in &ended.also {
            also(took);
        }
        for gauge in &self.series.open.in_flight {
            gauge.dec();
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(state) => f.debug_tuple("Call").field(&state.status).finish(),
            None => f.write_str("Call(over)"),
        }
    }
}
