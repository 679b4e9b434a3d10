//! The HTTP endpoints: `/metrics`, `/health`, `/livez`, `/readyz` and a page, as an axum router to
//! merge into an application's own, or on a [`Listener`].
//!
//! Guarantees:
//! - The size of every response is bounded by the service's own declarations, and client input is
//!   never echoed unescaped.
//! - `/metrics` negotiates format and compression. Scrapers that request the same page while it is
//!   queued share it. Four pages are written at a time; sixteen more are queued, each up to the
//!   timeout of its scraper (`X-Prometheus-Scrape-Timeout-Seconds`, sent by Prometheus). A page
//!   that misses its deadline or has no reader left is abandoned.
//! - Unread data is bounded in bytes over all scrapes: beyond 32 MiB, pages are written only as
//!   fast as they are read, and the slowest reader is dropped if another needs the memory. Beyond
//!   64 MiB, including data that a server has taken but not sent, no page is started.
//! - `/livez` reports whether the service itself makes progress, not its dependencies; `/readyz`
//!   whether the service accepts traffic; `/health` is for people and load balancers: 200, or 503
//!   while a component is down.
//! - The listener binds only the configured addresses. Connections are limited, with a reserve for
//!   probes; every head, request and response has a deadline, see [`Limits`]; at the limit a new
//!   connection replaces the slowest. It stops gracefully. With [`ListenerBuilder::tls`] it serves
//!   TLS, and HTTP/2 for clients that offer it, under the same limits.
//! - `/metrics?name[]=http_requests_total&name[]=…` scrapes only those families, in every format;
//!   see [`Selection`](crate::encode::Selection). Too many or too long names get 400.
//!
//! A scraper that does not get the complete page in time gets 503 and `Retry-After` or, if part of
//! the page was sent already, an aborted body, so that it does not take the part for the whole.
//! This is counted in `selfheal_scrapes_failed_total`, by `reason`:
//!
//! | `reason` | |
//! |---|---|
//! | `busy` | no turn within nine tenths of its time, more than sixteen pages queued, or too much memory held for others |
//! | `late` | a turn, but nothing to send within nine tenths of its time, or not all of it in time: blocking collectors, or a slow reader |
//! | `slow` | the slowest reader when others needed the memory or the turn |
//! | `gone` | the scraper disconnected before the end |
//! | `failed` | the page could not be written |
//! | `large` | a request by HTTP/1.0, whose clients recognise a partial page only by its length, for more than the 16 MiB buffered for that; answered with 505 |
//!
//! Refusals of the listener are counted in `selfheal_connections_refused_total`, by `reason`, if
//! enabled by [`ListenerBuilder::counted`], as [`Selfheal::listen`](crate::Selfheal::listen) does:
//!
//! | `reason` | |
//! |---|---|
//! | `head` | a connection without a complete request in time |
//! | `displaced` | a connection replaced by another at the limit |
//! | `full` | a request at the limit of connections; answered with 503 |
//! | `late` | a request that missed its deadline; answered with 503, or aborted |
//! | `stalled` | a connection that did not read its data |
//! | `broken` | a connection that sent invalid HTTP, or too much of it, or reset its requests too often |
//! | `tls` | a failed TLS handshake |
//!
//! The time is that of the header, or [`Endpoints::scrape_timeout`] if that is shorter or there is
//! no header. A blocking collector cannot be interrupted: it keeps its turn until it returns. Pages
//! are written and compressed on blocking threads, never on the worker of the request, and for at
//! most half of the time.
//!
//! # Several processes, several machines
//!
//! A scrape returns the metrics of the process that answers it. If several processes share an
//! address, such as the workers of a pre-forking server, give each a Unix socket
//! ([`ListenerBuilder::also`], `server.listen_also`) and list them all as [`Siblings`]
//! (`server.siblings`): `/siblings` then merges the pages of all of them, whichever answers. Scrape
//! it with `honor_labels: true`, so that `instance` stays that of the process. Nothing is summed:
//! use a query, `sum without (instance) (rate(http_requests_total[5m]))`, in which a restarted
//! worker is a counter reset.
//!
//! Processes on other machines are not queried. Use instead:
//!
//! | situation | use |
//! |---|---|
//! | Prometheus reaches each instance | service discovery, with a target for each; the generated configuration (feature `assets`) has them, `assets.targets` |
//! | a Prometheus per site, and one above them | federation: the upper one scrapes `/federate` of the lower ones for the series of recording rules; `/federate` of an instance has the same form if there is no Prometheus in between |
//! | all samples in one place, long-term | remote storage: Prometheus' `remote_write` (`assets.remote_write`) to Thanos, Mimir, Cortex or VictoriaMetrics |
//! | ephemeral or unreachable instances | a collector (OpenTelemetry Collector, Grafana Alloy) on each machine or beside each pod, which scrapes `/metrics` or `/siblings` there and forwards |
//!
//! ```
//! use selfheal::health::{Report, score};
//! use selfheal::registry::Registry;
//! use selfheal::server::{Endpoints, Limits, Listener, router};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let endpoints = Endpoints::new(Registry::new(), || Report::new(score(None, &[]), Vec::new()));
//! let listener = Listener::spawn("127.0.0.1:0".parse()?, router(endpoints), Limits::default())?;
//! println!("listening on http://{}", listener.address());
//! listener.shutdown();
//! # Ok(())
//! # }
//! ```

mod answer;
mod answers;
mod api;
mod auth;
mod connection;
mod ending;
mod endpoints;
mod limits;
mod links;
mod listener;
mod log;
mod metrics;
mod pace;
mod page;
mod pages;
mod places;
#[cfg(feature = "rules")]
mod query;
#[cfg(feature = "rules")]
mod receiver;
mod refused;
mod routes;
mod siblings;
mod stream;
#[cfg_attr(not(feature = "tls"), path = "tls/none.rs")]
mod tls;
#[cfg(feature = "rules")]
mod webhook;
mod written;

pub use api::{Details, NotDone, Operator};
pub use auth::Auth;
pub(crate) use ending::declare_all;
pub use endpoints::{Endpoints, PathError};
pub use limits::Limits;
pub(crate) use listener::serve_alone;
pub use listener::{ListenError, Listener, ListenerBuilder};
#[cfg(feature = "rules")]
#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
pub use query::QuerySource;
#[cfg(feature = "rules")]
#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
pub use receiver::AlertReceiver;
pub use routes::router;
pub use siblings::Siblings;
pub use tls::TlsError;
