use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::response::Parts;
use http_body::Body;

use super::error::OwnKinds;
use super::hosts::{self, Host, Hosts};
use super::names::{Ended, Name, Naming, Open};
use super::outcome::{BodyEnd, Outcome, Received};
use crate::trace::{Source, Trace};
use crate::util::{Chain, Clock, Mark, RequestHead, Verb};

/// The most series that a declared host has, by method and port; further ports are not told
/// apart, for a redirect may lead to any.
const MAX_OF_HOST: usize = 100;

/// What all services of a layer share.
pub(super) struct Shared {
    pub(super) names: Vec<Arc<dyn Naming>>,
    /// Whether any of them tells ports apart.
    pub(super) names_port: bool,
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
        let host = self.hosts.find(request.uri);
        let port = self.port(host.and_then(|at| self.hosts.get(at)), request.uri);
        let series = self.series(Verb::of(request.method), host, port);
        Call::new(Arc::clone(self), series, self.trace.of(request))
    }

    /// Records a request that a client did not even take: which one it would have been is not
    /// known.
    #[cold]
    pub(super) fn refused(self: &Arc<Self>, error: &(dyn std::error::Error + 'static)) {
        let series = self.series(Verb::Other, None, None);
        Call::new(Arc::clone(self), series, Trace::default()).failed(error, super::error::ERROR);
    }

    fn series(&self, verb: Verb, host: Option<usize>, mut port: Option<u16>) -> Arc<Series> {
        let at = host.unwrap_or(self.hosts.len());
        let host = host.and_then(|at| self.hosts.get(at));
        let make = |port| {
            let host = host.cloned();
            Arc::new(Series::new(&self.names, Name { verb, host, port }))
        };
        match self.series.get(at) {
            Some(of_host) => {
                let is = |series: &Arc<Series>, port| series.name.is(verb, port);
                let known = of_host.find(|series| is(series, port));
                known
                    .unwrap_or_else(|| {
                        if is_full(of_host) {
                            port = None;
                        }
                        of_host.find_or_add(|series| is(series, port), || make(port))
                    })
                    .clone()
            }
            None => make(port),
        }
    }

    /// The port to a declared host, if anybody wants to know.
    fn port(&self, host: Option<&Host>, uri: &Uri) -> Option<u16> {
        let host = host.filter(|_| self.names_port)?;
        host.port.or_else(|| hosts::port_of(uri))
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

fn is_full(of_host: &Chain<Arc<Series>>) -> bool {
    let n = Cell::new(0);
    let is_last = |_: &Arc<Series>| n.replace(n.get() + 1) + 1 == MAX_OF_HOST;
    of_host.find(is_last).is_some()
}

/// One host with one method, and the handles of its series.
#[derive(Debug)]
pub(super) struct Series {
    name: Name,
    open: Open,
    ends: Chain<(Outcome, Ended)>,
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
    fn ended(&self, outcome: Outcome, names: &[Arc<dyn Naming>]) -> &Ended {
        let (_, ended) = self.ends.find_or_add(
            |(known, _)| *known == outcome,
            || {
                let mut ended = Ended::default();
                for names in names {
                    names.end(&self.name, outcome, &mut ended);
                }
                (outcome, ended)
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
    /// The head of the response, once there is one.
    received: Option<Received>,
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
            received: None,
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
        state.received = Some(Received {
            status: head.status.as_u16(),
            version: head.version,
        });
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
        self.end(Outcome::Failed(kind.unwrap_or(or_else)));
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
        self.end_of_body(BodyEnd::Read);
    }

    /// The body has failed.
    pub(super) fn broken(&mut self) {
        self.end_of_body(BodyEnd::Failed);
    }

    fn end_of_body(&mut self, end: BodyEnd) {
        if let Some(head) = self.0.as_ref().and_then(|state| state.received) {
            self.end(Outcome::Received(head, end));
        }
    }

    /// Records the request, unless it has been.
    fn end(&mut self, outcome: Outcome) {
        if let Some(state) = self.0.take() {
            state.close(outcome);
        }
    }
}

impl Drop for Call {
    /// Somebody has read enough of the body, or waits no longer for the response.
    fn drop(&mut self) {
        let Some(state) = &self.0 else { return };
        self.end(match (state.received, state.inside) {
            (Some(head), true) => Outcome::Received(head, BodyEnd::Panicked),
            (Some(head), false) => Outcome::Received(head, BodyEnd::Read),
            (None, true) => Outcome::Panicked,
            (None, false) => Outcome::Cancelled,
        });
    }
}

impl State {
    fn elapsed(&self) -> Duration {
        self.shared.clock.since(self.start)
    }

    fn close(self, outcome: Outcome) {
        let took = self.elapsed();
        let ended = self.series.ended(outcome, &self.shared.names);
        for counter in &ended.requests {
            counter.inc();
        }
        for histogram in &ended.durations {
            let took = took.as_secs_f64();
            histogram.observe(took);
            self.trace.exemplify(histogram, took);
        }
        if self.received.is_some() {
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
            Some(state) => f.debug_tuple("Call").field(&state.received).finish(),
            None => f.write_str("Call(over)"),
        }
    }
}
