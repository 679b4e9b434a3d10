//! The endpoints and their paths.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::api::{Control, Operator};
use super::auth::Auth;
use super::page;
use super::pages::Pages;
#[cfg(feature = "rules")]
use super::query::{Queries, QuerySource};
#[cfg(feature = "rules")]
use super::receiver::AlertReceiver;
use super::siblings::Siblings;
use crate::config::{
    Access, Accesses, Config, HEALTH_PATH, LIVENESS_PATH, MAX_PATH, PAGE_PATH, READINESS_PATH,
    is_beside, is_plain,
};
use crate::health::Source;
use crate::registry::Registry;
use crate::util::{BoundedStr, Clock};

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
    pub(super) metrics_path: String,
    pub(super) page_path: String,
    /// The prefix of every path; empty, or without a trailing slash.
    pub(super) prefix: String,
    pub(super) auth: Option<Auth>,
    pub(super) access: Accesses,
    pub(super) configuration: Option<Arc<str>>,
    pub(super) compress: bool,
    pub(super) pages: Arc<Pages>,
    pub(super) scrape_timeout: Duration,
    pub(super) recorded: bool,
}

impl Endpoints {
    /// Creates endpoints for a registry and a source of health reports.
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

    /// Sets the path of the metrics. A missing leading slash is added. Default: `/metrics`.
    ///
    /// # Errors
    /// The path is not plain (see [`PathError`]), is `/`, or belongs to another endpoint. The paths
    /// beside the page count too, and so do the same directly below `/`, where the page may be
    /// moved: `/events`, `/federate`, `/siblings`, the assets and all below `/api/`.
    pub fn metrics_path(mut self, path: &str) -> Result<Self, PathError> {
        let path = plain(path)?;
        if path == "/" {
            return Err(PathError::Taken { path });
        }
        let path = free(path, &self.page_path)?;
        self.metrics_path = beside_no_page(path, &self.page_path)?;
        Ok(self)
    }

    /// Sets the path of the page. Default: `/selfheal`, since in a merged router `/` belongs to the
    /// application; with a [`Listener`](super::Listener), `/` is the better choice.
    ///
    /// # Errors
    /// The path is not plain (see [`PathError`]), or belongs to another endpoint.
    pub fn page_path(mut self, path: &str) -> Result<Self, PathError> {
        self.page_path = free(plain(path)?, &self.metrics_path)?;
        self.metrics_path = beside_no_page(self.metrics_path, &self.page_path)?;
        Ok(self)
    }

    /// Sets a prefix of all paths, for a router that is merged: with `/ops` the metrics are at
    /// `/ops/metrics`, and the page at `/ops` and `/ops/`. Default: `/`, which changes nothing.
    ///
    /// # Errors
    /// The path is not plain; see [`PathError`].
    pub fn at(mut self, prefix: &str) -> Result<Self, PathError> {
        let prefix = plain(prefix.trim_end_matches('/'))?;
        prefix.trim_end_matches('/').clone_into(&mut self.prefix);
        Ok(self)
    }

    /// Sets both paths, which a configuration has validated.
    pub(crate) fn paths(mut self, metrics: &str, page: &str) -> Self {
        metrics.clone_into(&mut self.metrics_path);
        page.clone_into(&mut self.page_path);
        self
    }

    /// Sets the source of `/api/explain/…` and `/api/history`. Default: these are empty.
    #[must_use]
    pub fn operator(mut self, operator: impl Operator) -> Self {
        self.operator = Some(Arc::new(operator));
        self
    }

    /// Whether the [operator](Self::operator) accepts commands through `/api/control/…` and the
    /// buttons of the page, which always require [credentials](Auth). Default: no.
    #[must_use]
    pub fn control(mut self, on: bool) -> Self {
        self.control = if on {
            Control::new().map(Arc::new)
        } else {
            None
        };
        self
    }

    /// Merges the metrics of several processes of this machine at `siblings` below the page, for a
    /// server of several processes on one address, where each scrape reaches only one of them. The
    /// page is in the text format, for clients that may read the metrics, with the `instance` of
    /// each series. A process that does not answer within 2 s, and half of its scraper's timeout,
    /// loses only its own series: `selfheal_sibling_up` is 1 for those that answer and 0 for the
    /// others, and a comment gives the reason. All pages together are limited to 32 MiB. Default:
    /// that path answers 404.
    #[must_use]
    pub fn siblings(mut self, siblings: Siblings) -> Self {
        self.siblings = Some(siblings);
        self
    }

    /// Serves a read-only Prometheus query API below `/api/v1`, and draws the charts of the page.
    /// Default: these paths answer 404.
    #[cfg(feature = "rules")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
    #[must_use]
    pub fn queries(mut self, source: impl QuerySource) -> Self {
        self.queries = Some(Queries::new(source));
        self
    }

    /// Accepts the alerts that an Alertmanager delivers to `api/alertmanager` below the page;
    /// requires [credentials](Auth). Default: that path answers 404.
    #[cfg(feature = "rules")]
    #[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
    #[must_use]
    pub fn receiver(mut self, receiver: impl AlertReceiver) -> Self {
        self.receiver = Some(Arc::new(receiver));
        self
    }

    /// Whether there is a query API beside the page.
    #[cfg_attr(
        not(feature = "rules"),
        allow(clippy::unused_self, reason = "unused without the module that answers")
    )]
    pub(super) fn is_queried(&self) -> bool {
        #[cfg(feature = "rules")]
        return self.queries.is_some();
        #[cfg(not(feature = "rules"))]
        false
    }

    /// The token for the page, unless the page is open to everyone.
    pub(super) fn shown_token(&self) -> Option<&str> {
        let control = self.control.as_ref();
        let control = control.filter(|_| self.access.page == Access::Credentials);
        control.map(|control| control.token())
    }

    /// The prefix of everything beside the page, with a trailing slash.
    pub(super) fn beside(&self) -> String {
        let page = match self.prefix.as_str() {
            "" => self.page_path.trim_end_matches('/'),
            prefix => prefix,
        };
        format!("{page}/")
    }

    /// Requires credentials on every route except those that [`Auth`] leaves open. Default: none
    /// required.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// Shows the configuration on the page, without secrets. Default: not shown.
    #[must_use]
    pub fn configuration(mut self, config: &Config) -> Self {
        self.configuration = Some(page::configuration(config).into());
        self
    }

    /// Sets the access control per endpoint, whether or not there are [credentials](Self::auth).
    /// Default: all require the credentials.
    #[must_use]
    pub fn access(mut self, access: Accesses) -> Self {
        self.access = access;
        self
    }

    /// Whether a scrape is compressed if the scraper accepts it. Default: yes.
    #[must_use]
    pub fn compress(mut self, compress: bool) -> Self {
        self.compress = compress;
        self
    }

    /// Sets the time limit of a scrape, from the request to the last byte; a shorter timeout of the
    /// scraper applies. Default: 10 s, the default timeout of Prometheus.
    #[must_use]
    pub fn scrape_timeout(mut self, limit: Duration) -> Self {
        self.scrape_timeout = limit;
        self
    }

    /// Whether the HTTP layer of an application that merges or nests the router also records
    /// requests to it. Default: no; responses are marked [`Unrecorded`](crate::util::Unrecorded).
    #[must_use]
    pub fn recorded(mut self, recorded: bool) -> Self {
        self.recorded = recorded;
        self
    }

    /// Sets the clock for the ages on the page. Default: the system's.
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

/// An invalid path of the endpoints.
///
/// A plain path is matched literally by the router and sent literally by clients: letters, digits,
/// `-`, `_`, `.`, `~` and single slashes, at most 256 characters.
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
    /// It belongs to another endpoint.
    #[error("`{path}` is the path of another endpoint; choose another one")]
    Taken {
        /// The path.
        path: String,
    },
}

/// Validates a path and adds a missing leading slash.
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

/// Checks that the metrics' path is not beside the page at `page`, or at `/`.
fn beside_no_page(path: String, page: &str) -> Result<String, PathError> {
    if is_beside(&path, "/") || is_beside(&path, page) {
        return Err(PathError::Taken { path });
    }
    Ok(path)
}
