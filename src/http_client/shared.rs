use std::fmt;
use std::sync::Arc;

use http::Uri;

use super::error::ERROR;
use super::hosts::{self, Host, Hosts};
use super::names::Name;
use super::protocol::{self, Guard, Recorder, Series};
use crate::exchange::Known;
use crate::trace::{Source, Trace};
use crate::util::{RequestHead, Verb};

/// The limit of series per declared host, by method and port; ports beyond it are not
/// distinguished, since a redirect may lead to any.
const MAX_OF_HOST: usize = 100;

/// State shared by all services of a layer.
pub(crate) struct Shared {
    pub(super) recorder: Arc<Recorder>,
    /// Whether any name set has ports as a label.
    names_port: bool,
    hosts: Hosts,
    trace: Source,
    /// By index of the host, with the undeclared hosts last.
    series: Box<[Known<Series, 1>]>,
    /// For requests that the client refused.
    refused: Arc<Series>,
}

impl Shared {
    pub(super) fn new(recorder: Recorder, names_port: bool, hosts: Hosts, trace: Source) -> Self {
        let recorder = Arc::new(recorder);
        let refused = Name {
            verb: Verb::Other,
            host: None,
            port: None,
        };
        Self {
            names_port,
            trace,
            series: (0..=hosts.len()).map(|_| Known::new(MAX_OF_HOST)).collect(),
            hosts,
            refused: Arc::new(Series::new(&recorder, refused)),
            recorder,
        }
    }

    /// Begins to record a request.
    pub(super) fn begin(&self, request: RequestHead<'_>) -> Guard {
        let host = self.hosts.find(request.uri);
        let port = self.port(host.and_then(|at| self.hosts.get(at)), request.uri);
        let series = self.series(Verb::of(request.method), host, port);
        self.guard(series, self.trace.of(request))
    }

    /// Records a request that the client refused before it was handed over, so its labels are
    /// unknown.
    #[cold]
    pub(super) fn refused(&self, error: &(dyn std::error::Error + 'static)) {
        let mut guard = self.guard(&self.refused, Trace::default());
        protocol::failed(&mut guard, error, ERROR);
    }

    fn guard(&self, series: &Arc<Series>, trace: Trace) -> Guard {
        let start = Some(self.recorder.clock.mark());
        let mut guard = Guard::begin(series, start, trace, ());
        if let Some(state) = guard.state_mut() {
            state.enter();
        }
        guard
    }

    fn series(&self, verb: Verb, host: Option<usize>, port: Option<u16>) -> &Arc<Series> {
        let at = host.unwrap_or(self.hosts.len());
        let Some(of_host) = self.series.get(at) else {
            return &self.refused;
        };
        let is = |port| move |series: &Series| series.name.is(verb, port);
        let make = |port| {
            let host = host.and_then(|at| self.hosts.get(at)).cloned();
            Series::new(&self.recorder, Name { verb, host, port })
        };
        of_host
            .find((), is(port))
            .or_else(|| of_host.learn((), is(port), |_| make(port)))
            .unwrap_or_else(|| of_host.add((), is(None), || make(None)))
    }

    /// The port to a declared host, if a name set has it as a label.
    fn port(&self, host: Option<&Host>, uri: &Uri) -> Option<u16> {
        let host = host.filter(|_| self.names_port)?;
        host.port.or_else(|| hosts::port_of(uri))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("names", &self.recorder.names)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}
