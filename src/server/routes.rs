use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::{StatusCode, header};

use super::api::{self, Control, Operator};
use super::auth::Auth;
use super::pages::Pages;
#[cfg(feature = "rules")]
use super::query::{self, Queries, QuerySource};
use super::siblings::{self, Siblings};
#[cfg(feature = "rules")]
use super::webhook::{self, AlertReceiver};
use super::{links, metrics, page};
use crate::config::{
    Access, Accesses, Config, HEALTH_PATH, LIVENESS_PATH, MAX_PATH, PAGE_PATH, READINESS_PATH,
    is_beside, is_plain,
};
use crate::health::{Check, Source, Status};
use crate::registry::Registry;
use crate::util::{BoundedStr, Clock, Printable, Unrecorded, write_json};

/// The endpoints: their content and their paths.
#[derive(Clone)]
pub struct Endpoints {
    pub(super) registry: Registry,
    pub(super) health: Arc<dyn Source>,
    pub(super) operator: Option<Arc<dyn Operator>>,
    pub(super) control: Option<Arc<Control>>,
    pub(super) clock: Clock,
    pub(super) siblings: Option<Siblings>,
    #[cfg(feature = "rules")]
    pub(super) queries: Option<Arc<Queries>>,
    #[cfg(feature = "rules")]
    pub(super) receiver: Option<Arc<dyn AlertReceiver>>,
    metrics_path: String,
    page_path: String,
    /// What every path begins with; empty, or without a slash at its end.
    prefix: String,
    auth: Option<Auth>,
    access: Accesses,
    configuration: Option<Arc<str>>,
    pub(super) compress: bool,
    pub(super) pages: Arc<Pages>,
    pub(super) scrape_timeout: Duration,
    recorded: bool,
}

impl Endpoints {
    /// Endpoints for a registry and a source of health reports.
    #[must_use]
    pub fn new(registry: Registry, health: impl Source) -> Self {
        Self {
            pages: Pages::new(&registry),
            scrape_timeout: Duration::from_secs(10),
            registry,
            health: Arc::new(health),
            operator: None,
            siblings: None,
            #[cfg(feature = "rules")]
            queries: None,
            #[cfg(feature = "rules")]
            receiver: None,
            control: None,
            clock: Clock::system(),
            metrics_path: "/metrics".to_owned(),
            page_path: PAGE_PATH.to_owned(),
            prefix: String::new(),
            auth: None,
            access: Accesses::default(),
            configuration: None,
            compress: true,
            recorded: false,
        }
    }

    /// Sets the path of the metrics. A path that does not start with a slash gets one. Default:
    /// `/metrics`.
    ///
    /// # Errors
    /// The path is not plain (see [`PathError`]), is `/`, or is that of another endpoint. What
    /// answers beside the page counts as one, and so does the same directly below `/`, where the
    /// page may be moved to: `/events`, `/federate`, `/siblings`, its files and all below `/api/`.
    pub fn metrics_path(mut self, path: &str) -> Result<Self, PathError> {
        let path = plain(path)?;
        if path == "/" {
            return Err(PathError::Taken { path });
        }
        let path = free(path, &self.page_path)?;
        self.metrics_path = beside_no_page(path, &self.page_path)?;
        Ok(self)
    }

    /// Sets the path of the page. Default: `/selfheal`, since `/` is the application's own where
    /// the router is merged into one; a [`Listener`](super::Listener) of its own has the page
    /// better at `/`.
    ///
    /// # Errors
    /// The path is not plain (see [`PathError`]), or is that of another endpoint.
    pub fn page_path(mut self, path: &str) -> Result<Self, PathError> {
        self.page_path = free(plain(path)?, &self.metrics_path)?;
        self.metrics_path = beside_no_page(self.metrics_path, &self.page_path)?;
        Ok(self)
    }

    /// Puts all paths below this one, for a router that is merged: at `/ops` the metrics are
    /// `/ops/metrics`, and the page is `/ops` and `/ops/`. Default: `/`, which changes nothing.
    ///
    /// # Errors
    /// The path is not plain; see [`PathError`].
    pub fn at(mut self, prefix: &str) -> Result<Self, PathError> {
        let prefix = plain(prefix.trim_end_matches('/'))?;
        prefix.trim_end_matches('/').clone_into(&mut self.prefix);
        Ok(self)
    }

    /// Sets both paths, which a configuration has checked.
    pub(crate) fn paths(mut self, metrics: &str, page: &str) -> Self {
        metrics.clone_into(&mut self.metrics_path);
        page.clone_into(&mut self.page_path);
        self
    }

    /// Lets people ask of healing what `/api/explain/…` and `/api/history` say. Default: these are
    /// empty.
    #[must_use]
    pub fn operator(mut self, operator: impl Operator) -> Self {
        self.operator = Some(Arc::new(operator));
        self
    }

    /// Whether the [operator](Self::operator) follows orders through `/api/control/…` and the
    /// buttons of the page. It follows those of callers with [credentials](Auth) alone. Default:
    /// no.
    #[must_use]
    pub fn control(mut self, on: bool) -> Self {
        self.control = if on {
            Control::new().map(Arc::new)
        } else {
            None
        };
        self
    }

    /// Merges the metrics of several processes of this machine, at `siblings` below the page, for a
    /// server of several processes on one address: of each scrape of that, only one of them would
    /// hear. It is a page in the text format for whoever may read the metrics, on which each series
    /// has the `instance` that it is of. A process that does not answer within 2 s, and half of
    /// what its scraper waits, costs its own series alone: `selfheal_sibling_up` says which do
    /// (1) and which do not (0), and a comment why. All pages together are bounded by 32 MiB.
    /// Default: that path is answered with 404.
    #[must_use]
    pub fn siblings(mut self, siblings: Siblings) -> Self {
        self.siblings = Some(siblings);
        self
    }

    /// Answers queries below `/api/v1` as a Prometheus server does, read only, and draws the charts
    /// of the page. Default: these paths are answered with 404.
    #[cfg(feature = "rules")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
    #[must_use]
    pub fn queries(mut self, source: impl QuerySource) -> Self {
        self.queries = Some(Queries::new(source));
        self
    }

    /// Takes in the alerts that an Alertmanager delivers to `api/alertmanager` below the page, from
    /// callers with [credentials](Auth) alone. Default: that path is answered with 404.
    #[cfg(feature = "rules")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
    #[must_use]
    pub fn receiver(mut self, receiver: impl AlertReceiver) -> Self {
        self.receiver = Some(Arc::new(receiver));
        self
    }

    /// Whether there is something to query beside the page.
    #[cfg_attr(
        not(feature = "rules"),
        allow(
            clippy::unused_self,
            reason = "nothing is, without the module that answers"
        )
    )]
    fn is_queried(&self) -> bool {
        #[cfg(feature = "rules")]
        return self.queries.is_some();
        #[cfg(not(feature = "rules"))]
        false
    }

    /// The token for the page, which everyone may read where it is open.
    fn shown_token(&self) -> Option<&str> {
        let control = self.control.as_ref();
        let control = control.filter(|_| self.access.page == Access::Credentials);
        control.map(|control| control.token())
    }

    /// The path that everything beside the page begins with; a slash ends it.
    fn beside(&self) -> String {
        let page = match self.prefix.as_str() {
            "" => self.page_path.trim_end_matches('/'),
            prefix => prefix,
        };
        format!("{page}/")
    }

    /// Asks for credentials on every route but those that [`Auth`] leaves open. Default: none
    /// are asked for.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// Shows the configuration on the page, secrets left out. Default: it is not shown.
    #[must_use]
    pub fn configuration(mut self, config: &Config) -> Self {
        self.configuration = Some(page::configuration(config).into());
        self
    }

    /// Sets who gets which endpoint, where there are [credentials](Self::auth) and where there are
    /// none. Default: who has the credentials.
    #[must_use]
    pub fn access(mut self, access: Accesses) -> Self {
        self.access = access;
        self
    }

    /// Whether a scrape is compressed when the scraper asks for it. Default: yes.
    #[must_use]
    pub fn compress(mut self, compress: bool) -> Self {
        self.compress = compress;
        self
    }

    /// Sets the longest that a scrape may take, from the request to the last byte. A scraper
    /// that says that it waits for less gets less. Default: 10 s, which is how long Prometheus
    /// waits.
    #[must_use]
    pub fn scrape_timeout(mut self, limit: Duration) -> Self {
        self.scrape_timeout = limit;
        self
    }

    /// Whether the HTTP layer of an application that merges or nests the router records requests
    /// to it, too. Default: no; its responses say that they are
    /// [`Unrecorded`](crate::util::Unrecorded).
    #[must_use]
    pub fn recorded(mut self, recorded: bool) -> Self {
        self.recorded = recorded;
        self
    }

    /// Sets the clock by which the page says how long ago something was.
    /// Default: that of the system.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints")
            .field("registry", &self.registry)
            .field("metrics_path", &self.metrics_path)
            .field("compress", &self.compress)
            .finish_non_exhaustive()
    }
}

/// A path that the endpoints cannot have.
///
/// A router takes a plain path as it is written, and a client sends it as it is written: letters,
/// digits, `-`, `_`, `.`, `~` and single slashes, at most 256 characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// It is not plain.
    #[error(
        "`{}` is not a plain path; use letters, digits, `-`, `_`, `.`, `~` and single slashes, at most {MAX_PATH} characters",
        BoundedStr::<64>::new(path)
    )]
    NotPlain {
        /// The path.
        path: String,
    },
    /// Another endpoint has it.
    #[error("`{path}` is the path of another endpoint; choose another one")]
    Taken {
        /// The path.
        path: String,
    },
}

/// The path with a slash before it.
fn plain(path: &str) -> Result<String, PathError> {
    let path = format!("/{}", path.strip_prefix('/').unwrap_or(path));
    if is_plain(&path) {
        Ok(path)
    } else {
        Err(PathError::NotPlain { path })
    }
}

fn free(path: String, other: &str) -> Result<String, PathError> {
    if path == other || [HEALTH_PATH, LIVENESS_PATH, READINESS_PATH].contains(&&*path) {
        return Err(PathError::Taken { path });
    }
    Ok(path)
}

/// The path of the metrics, where the page at `page`, or at `/`, has nothing.
fn beside_no_page(path: String, page: &str) -> Result<String, PathError> {
    if is_beside(&path, "/") || is_beside(&path, page) {
        return Err(PathError::Taken { path });
    }
    Ok(path)
}

/// The endpoints as an axum router, to be merged into an application's own or served by a
/// [`Listener`](super::Listener).
///
/// It has no fallback, and of the paths nothing but its own, so that it can be merged into any
/// router that has none of these; [`Endpoints::at`] moves them where one has.
pub fn router<S>(endpoints: Endpoints) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let at = |path: &str| format!("{}{path}", endpoints.prefix);
    let probes = Router::new()
        .route(&at(LIVENESS_PATH), get(livez))
        .route(&at(READINESS_PATH), get(readyz));
    let metrics = Router::new().route(&at(&endpoints.metrics_path), get(metrics::serve));
    let metrics = if endpoints.siblings.is_some() {
        let merged = format!("{}siblings", endpoints.beside());
        metrics.route(&merged, get(siblings::serve))
    } else {
        metrics
    };
    let health = Router::new().route(&at(HEALTH_PATH), get(health));
    let mut page = if endpoints.prefix.is_empty() {
        Router::new().route(&endpoints.page_path, get(index))
    } else {
        let index = Router::new().route(&at(""), get(index));
        index.route(&at("/"), get(self::index))
    };
    let beside = endpoints.beside();
    for (name, media_type, content) in page::FILES {
        let file = async move || page::file(media_type, content);
        page = page.route(&format!("{beside}{name}"), get(file));
    }
    let streams = |render| {
        let live = page::Live::new(Arc::clone(&endpoints.health), render);
        get(async move || page::events(&live))
    };
    let events = streams(page::live_sections);
    page = page.route(&format!("{beside}{}", page::EVENTS), events);
    let (api, orders) = api::routes(&beside, streams(page::facts));
    // An alert that comes in is as good as an order.
    #[cfg(feature = "rules")]
    let orders = if endpoints.receiver.is_some() {
        orders.merge(webhook::routes(&beside))
    } else {
        orders
    };
    #[cfg(feature = "rules")]
    let (api, metrics) = if endpoints.queries.is_some() {
        let metrics = metrics.merge(query::federation(&beside));
        (api.merge(query::routes(&beside)), metrics)
    } else {
        (api, metrics)
    };
    let auth = &endpoints.auth;
    let asked = match auth {
        Some(auth) if auth.protects_probes() => Access::Credentials,
        _ => Access::Open,
    };
    let access = endpoints.access;
    let (mut open, mut closed) = (Router::new(), Router::new());
    for (routes, access) in [
        (probes, asked),
        (metrics, access.metrics),
        (health, access.health),
        (page, access.page),
        (api, access.api),
        // Whatever else is everyone's, orders are not.
        (orders, Access::Credentials),
    ] {
        match access {
            Access::Credentials => closed = closed.merge(routes),
            Access::Open => open = open.merge(routes),
            Access::Off => {}
        }
    }
    if let Some(auth) = auth.clone() {
        closed = auth.cover(closed);
    }
    let recorded = endpoints.recorded;
    let routes = open.merge(closed).with_state(endpoints);
    if recorded {
        return routes;
    }
    // Of the routes alone: what matches none of them is the application's.
    routes.route_layer(from_fn(async |request: Request, next: Next| {
        let mark = Unrecorded::announce().await;
        (Extension(mark), next.run(request).await)
    }))
}

async fn health(State(endpoints): State<Endpoints>) -> Response {
    let report = endpoints.health.report();
    let status = if report.status == Status::Down {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    let mut json = Vec::new();
    match write_json(&mut json, &report) {
        Ok(()) => answer(status, "application/json", json),
        Err(error) => answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain; charset=utf-8",
            format!("the health report cannot be written: {error}\n"),
        ),
    }
}

async fn livez(State(endpoints): State<Endpoints>) -> Response {
    verdict(&endpoints.health.live())
}

async fn readyz(State(endpoints): State<Endpoints>) -> Response {
    verdict(&endpoints.health.ready())
}

fn verdict(check: &Check) -> Response {
    let (status, text) = if check.ok {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{}\n", Printable(&check.reason)),
        )
    };
    answer(status, "text/plain; charset=utf-8", text)
}

async fn index(State(endpoints): State<Endpoints>, request: Request) -> Response {
    let report = endpoints.health.report();
    let links = [
        (&*endpoints.metrics_path, "metrics"),
        (HEALTH_PATH, "health"),
        (LIVENESS_PATH, "livez"),
        (READINESS_PATH, "readyz"),
    ]
    .map(|(path, what)| {
        let path = format!("{}{path}", endpoints.prefix);
        (links::relative(&request, &path), what)
    });
    let beside = links::relative(&request, &endpoints.beside());
    let namespace = endpoints.registry.settings().namespace.clone();
    let place = page::Place {
        beside: &beside,
        links: &links,
        token: endpoints.shown_token(),
        charts: endpoints.is_queried().then_some(&*namespace),
        configuration: endpoints.configuration.as_deref(),
    };
    page::serve(&report, &place, endpoints.clock.wall())
}

/// An answer that no cache keeps and no browser takes for something else.
pub(super) fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl IntoResponse,
) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, body).into_response()
}
