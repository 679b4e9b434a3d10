use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use axum::extract::NestedPath;
use http::Request;
use tower_layer::Layer;

use super::builder::HttpLayerBuilder;
use super::exclude::Exclude;
use super::mode::Axum;
use super::mount::{Mounts, Nested};
use super::protocol::{Guard, Series};
use super::route::{Classifier, Protocol, UNMATCHED};
use super::scheme::Scheme;
use super::series::{Key, Recorder, Table};
use super::service::HttpService;
use crate::exchange::Generic;
use crate::health::{Contributor, Traffic};
use crate::registry::{DeclareError, Registry};
use crate::util::{RequestHead, Verb};

/// Records every request of the service it wraps; see [the module](super).
///
/// Clones are cheap and share the learnt routes. Several layers may use one registry; a request
/// that goes through two of them is counted twice.
#[derive(Debug)]
pub struct HttpLayer<M = Axum> {
    shared: Arc<Shared>,
    mode: PhantomData<fn() -> M>,
}

/// State shared by all services of a layer.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) recorder: Arc<Recorder>,
    pub(super) classifier: Classifier,
    pub(super) mounts: Mounts,
    pub(super) exclude: Exclude,
    /// The source of the scheme, if a label needs the protocol.
    pub(super) protocol: Option<Scheme>,
    pub(super) table: Table,
}

impl Shared {
    #[inline]
    fn key<'a, B>(&self, route: &'a str, request: &Request<B>) -> Key<'a> {
        Key {
            route,
            verb: Verb::of(request.method()),
            protocol: match self.protocol {
                Some(scheme) => Protocol::of(request, scheme),
                None => Protocol::default(),
            },
            labels: self
                .recorder
                .request_labels
                .choose(RequestHead::of(request)),
        }
    }
}

impl HttpLayer {
    /// Creates a layer with the defaults of its [builder](Self::builder).
    ///
    /// # Errors
    /// The registry already has other metrics under the names of
    /// [`HttpMetrics`](super::HttpMetrics).
    pub fn new(registry: &Registry) -> Result<Self, DeclareError> {
        Self::builder(registry).build()
    }

    /// Starts building a layer.
    pub fn builder(registry: &Registry) -> HttpLayerBuilder {
        HttpLayerBuilder::new(registry)
    }

    pub(super) fn of(shared: Shared) -> Self {
        Self::around(Arc::new(shared))
    }

    /// Converts the layer for services with any request and response body. The inner service gets a
    /// [`CountedBody`](super::CountedBody), the caller an
    /// [`InstrumentedBody`](super::InstrumentedBody), and nothing is boxed:
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use http::{Request, Response};
    /// use selfheal::http::{CountedBody, HttpLayer};
    /// use selfheal::registry::Registry;
    /// use tower_layer::Layer;
    ///
    /// # fn main() -> Result<(), selfheal::registry::DeclareError> {
    /// let service = tower::service_fn(|request: Request<CountedBody<String>>| async move {
    ///     Ok::<_, Infallible>(Response::new(request.into_body().get_ref().clone()))
    /// });
    /// let layer = HttpLayer::builder(&Registry::new())
    ///     .route_by(|request| (request.uri.path() == "/echo").then_some("/echo"))
    ///     .build()?;
    /// let service = layer.generic().layer(service);
    /// # fn takes<S: tower_service::Service<Request<String>>>(_: S) {}
    /// # takes(service);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn generic(self) -> HttpLayer<Generic> {
        HttpLayer::around(self.shared)
    }
}

impl<M> HttpLayer<M> {
    fn around(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            mode: PhantomData,
        }
    }
}

impl<M> Clone for HttpLayer<M> {
    fn clone(&self) -> Self {
        Self::around(Arc::clone(&self.shared))
    }
}

/// Contributes the recorded requests to the health score, by the first set of names. All layers of
/// one registry and set of names are counted together, so only one of them may contribute.
impl<M: 'static> Contributor for HttpLayer<M> {
    fn traffic(&self) -> Option<Traffic> {
        let recorder = &self.shared.recorder;
        // Without names it records nothing.
        (!recorder.names.is_empty()).then(|| recorder.traffic.traffic())
    }
}

impl<S, M> Layer<S> for HttpLayer<M> {
    type Service = HttpService<S, M>;

    fn layer(&self, inner: S) -> HttpService<S, M> {
        HttpService::new(inner, Arc::new(Endpoint::new(&self.shared)))
    }
}

/// State shared by the clones of one service. Kept a cache line apart from the reference count,
/// which changes with each request, since axum clones a service to call it; this state does not
/// change, and so stays in the cache of every core.
///
/// An axum router puts the layer around each method of each route, so most services only ever see
/// one key and skip the lookup of its series.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Endpoint {
    shared: Arc<Shared>,
    first: OnceLock<Arc<Series>>,
    nested: Nested,
}

impl Endpoint {
    fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            first: OnceLock::new(),
            nested: Nested::default(),
        }
    }

    #[inline]
    fn series(&self, key: Key<'_>) -> &Arc<Series> {
        match self.first.get() {
            Some(first) if first.name.is(key) => first,
            _ => self.look_up(key),
        }
    }

    fn look_up(&self, key: Key<'_>) -> &Arc<Series> {
        let shared = &*self.shared;
        let series = shared.table.get(&shared.recorder, key);
        self.first.get_or_init(|| Arc::clone(series));
        series
    }

    /// The series of a request without a route of its own.
    #[inline(never)]
    fn unmatched<B>(&self, request: &Request<B>) -> &Arc<Series> {
        let shared = &*self.shared;
        let asks = shared.classifier.is_axum();
        let nested = asks.then(|| self.nested.of(request.extensions())).flatten();
        let route = nested.as_deref();
        let route = route.or_else(|| shared.mounts.of(request.uri().path()));
        self.series(shared.key(route.unwrap_or(UNMATCHED), request))
    }

    /// Begins to record `request`, unless its path is excluded.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the request is moved into the call")]
    pub(super) fn begin<B>(&self, request: &Request<B>) -> Guard {
        let shared = &*self.shared;
        let nested = || request.extensions().get::<NestedPath>().is_some();
        if shared.exclude.matches(request.uri().path(), nested) {
            return Guard::default();
        }
        let recorder = &shared.recorder;
        let series = match shared.classifier.route(request) {
            Some(route) => self.series(shared.key(route, request)),
            None => self.unmatched(request),
        };
        let stands_for = series.name.sample.draw(&series.name.tickets);
        let start = stands_for.map(|_| recorder.clock.mark());
        let trace = stands_for.map(|_| recorder.trace.of(RequestHead::of(request)));
        let stands_for = stands_for.unwrap_or_default();
        let mut guard = Guard::begin(series, start, trace.unwrap_or_default(), stands_for);
        // Whether the first request is recorded is known only once it is polled.
        if let Some(open) = series.if_open()
            && let Some(state) = guard.state_mut()
        {
            state.enter_by(open);
        }
        guard
    }
}
