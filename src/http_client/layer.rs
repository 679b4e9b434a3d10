use std::error::Error;
use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::error::OwnKinds;
use super::hosts::Hosts;
use super::names::HttpClientNames;
use super::protocol::Recorder;
use super::service::HttpClientService;
use super::shared::Shared;
use crate::registry::{DeclareError, Registry};
use crate::trace::{self, Source};
use crate::util::Clock;

/// Records every request of the client it wraps; see [the module](super). Clones are cheap.
#[derive(Clone, Debug)]
pub struct HttpClientLayer {
    pub(super) shared: Arc<Shared>,
}

impl HttpClientLayer {
    /// Creates a layer with the defaults of its [builder](Self::builder): the host of every request
    /// is `other`.
    ///
    /// # Errors
    /// The registry already has other metrics under the names of
    /// [`HttpClientMetrics`](super::HttpClientMetrics).
    pub fn new(registry: &Registry) -> Result<Self, DeclareError> {
        Self::builder(registry).build()
    }

    /// Starts building a layer.
    pub fn builder(registry: &Registry) -> HttpClientLayerBuilder {
        HttpClientLayerBuilder {
            registry: registry.clone(),
            names: vec![HttpClientNames::default()],
            hosts: Hosts::default(),
            own_kinds: None,
            buckets: None,
            clock: Clock::system(),
            trace: Source::default(),
        }
    }
}

impl<S> Layer<S> for HttpClientLayer {
    type Service = HttpClientService<S>;

    fn layer(&self, inner: S) -> HttpClientService<S> {
        HttpClientService::new(inner, Arc::clone(&self.shared))
    }
}

/// Builder of an [`HttpClientLayer`].
#[derive(Clone)]
#[must_use = "a layer is created by `build`"]
pub struct HttpClientLayerBuilder {
    registry: Registry,
    names: Vec<HttpClientNames>,
    hosts: Hosts,
    own_kinds: Option<Arc<OwnKinds>>,
    buckets: Option<Vec<f64>>,
    clock: Clock,
    trace: Source,
}

impl HttpClientLayerBuilder {
    /// Declares a host and its label. `*.example.com` matches every host below it,
    /// `example.com:8443` only that port. The first match applies. Default: none; an undeclared
    /// host is `other`.
    pub fn host(mut self, host: impl AsRef<str>, label: impl AsRef<str>) -> Self {
        self.hosts.add(host.as_ref(), label.as_ref());
        self
    }

    /// Declares hosts that are labelled by their own names; see [`host`](Self::host).
    pub fn hosts<H: AsRef<str>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        for host in hosts {
            self.hosts.add(host.as_ref(), host.as_ref());
        }
        self
    }

    /// Sets the metric names; several sets are recorded at once. An empty list is an error of
    /// [`build`](Self::build). Default: those of [`HttpClientMetrics`](super::HttpClientMetrics).
    pub fn names(mut self, names: impl IntoIterator<Item = HttpClientNames>) -> Self {
        self.names.clear();
        for set in names {
            if !self.names.contains(&set) {
                self.names.push(set);
            }
        }
        self
    }

    /// Classifies errors that only the application knows. Before the kinds of this crate are
    /// tried, `kind` is called with the error of a request and each of its causes, including the
    /// one inside an [`std::io::Error`]. Default: the kind of an [`std::io::Error`], else `error`.
    ///
    /// The kinds become label values, so there should be few. For a client of `hyper-util`:
    ///
    /// ```
    /// use selfheal::http_client::HttpClientLayer;
    /// use selfheal::registry::Registry;
    /// use tower::timeout::error::Elapsed;
    ///
    /// # fn main() -> Result<(), selfheal::registry::DeclareError> {
    /// let layer = HttpClientLayer::builder(&Registry::new())
    ///     .error_kind(|error| {
    ///         if error.is::<Elapsed>() {
    ///             return Some("timeout");
    ///         }
    ///         // With rustls, also: error.is::<rustls::Error>() is "tls".
    ///         match error.downcast_ref::<hyper::Error>()? {
    ///             error if error.is_incomplete_message() => Some("connection_lost"),
    ///             error if error.is_parse() => Some("not_http"),
    ///             _ => None,
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn error_kind(
        mut self,
        kind: impl Fn(&(dyn Error + 'static)) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        self.own_kinds = Some(Arc::new(kind));
        self
    }

    /// Sets the bucket bounds of the durations in seconds, without `+Inf`. The registry's settings
    /// for a family override them. Default: [`DEFAULT_BUCKETS`](crate::registry::DEFAULT_BUCKETS),
    /// or those of the names.
    pub fn buckets(mut self, bounds: impl IntoIterator<Item = f64>) -> Self {
        self.buckets = Some(bounds.into_iter().collect());
        self
    }

    /// Sets the clock. Default: the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    trace::trace_by!();

    /// Declares the metrics and builds the layer.
    ///
    /// # Errors
    /// The registry already has other metrics under one of the names, the buckets are invalid, or
    /// there are no [names](Self::names).
    pub fn build(self) -> Result<HttpClientLayer, DeclareError> {
        if self.names.is_empty() {
            return Err(DeclareError::NoNames {
                layer: "layer for HTTP clients",
            });
        }
        let declare = |set: &HttpClientNames| set.declare(&self.registry, self.buckets.as_deref());
        let names = self.names.iter().map(declare).collect::<Result<_, _>>()?;
        let names_port = self.names.contains(&HttpClientNames::OpenTelemetry);
        let recorder = Recorder {
            names,
            own_kinds: self.own_kinds,
            clock: self.clock,
        };
        let shared = Shared::new(recorder, names_port, self.hosts, self.trace);
        Ok(HttpClientLayer {
            shared: Arc::new(shared),
        })
    }
}

impl fmt::Debug for HttpClientLayerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientLayerBuilder")
            .field("names", &self.names)
            .field("hosts", &self.hosts)
            .field("buckets", &self.buckets)
            .finish_non_exhaustive()
    }
}
