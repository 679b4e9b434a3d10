//! The endpoints: `/metrics`, `/health`, `/livez`, `/readyz` and a page, as an axum router to merge
//! into an application's own, or on a [`Listener`] of their own.
//!
//! The module promises:
//! - Every answer is bounded in size by what the service itself declared, and nothing that a
//!   client sends is echoed unescaped.
//! - `/metrics` negotiates format and compression. Scrapers that ask for the same page while it
//!   waits for its turn share it. Four pages are written at a time; sixteen more wait, each no
//!   longer than its scraper does (`X-Prometheus-Scrape-Timeout-Seconds`, which Prometheus sends).
//!   A page that cannot be finished in that time is given up, and so is one without a reader.
//! - What is written and not yet taken is bounded over all scrapes, by bytes: 32 MiB, beyond which
//!   pages are written no faster than they are read, and the slowest reader gives way when another
//!   needs the memory. Beyond 64 MiB that were taken by a server and not yet sent, no page is begun.
//! - `/livez` says whether the inside makes progress, and nothing about dependencies;
//!   `/readyz` whether the service wants traffic; `/health` is for people and load balancers:
//!   200, or 503 while a component is down.
//! - The listener binds to the address that is configured. It has a bound on connections, and places beside those
//!   for probes; every head, request and answer has a deadline, see [`Limits`]; a newcomer takes the
//!   place of the slowest. It stops gracefully. With [`ListenerBuilder::tls`] it speaks TLS, and
//!   HTTP/2 with clients that offer it, under the same bounds.
//! - `/metrics?name[]=http_requests_total&name[]=…` is a scrape of those families alone, in
//!   every format; see [`Selection`](crate::encode::Selection). Too many names, or too long
//!   ones, are answered with 400.
//!
//! A scraper that does not get a whole page in time gets 503 and `Retry-After` or, where a part
//! of the page is on its way already, a body that breaks off, so that it does not take the part
//! for the whole. That is counted in `selfheal_scrapes_failed_total`, by `reason`:
//!
//! | `reason` | |
//! |---|---|
//! | `busy` | no turn in nine tenths of its time, more than sixteen pages waiting, or too much held for others |
//! | `late` | a turn, but nothing to send in nine tenths of its time, or not all of it in the whole time: collectors that block, or a slow reader |
//! | `slow` | it was the slowest reader when others needed the memory or the turn |
//! | `gone` | the scraper hung up before the end |
//! | `failed` | the page could not be written |
//! | `large` | it was asked for by HTTP/1.0, whose clients can know a part from the whole by its length alone, and is longer than the 16 MiB that are kept to know that; answered with 505 |
//!
//! What the listener refuses is counted in `selfheal_connections_refused_total`, by `reason`, where
//! [`ListenerBuilder::counted`] says so, as that of [`Selfheal::listen`](crate::Selfheal::listen)
//! does:
//!
//! | `reason` | |
//! |---|---|
//! | `head` | a connection without a whole request in time |
//! | `displaced` | a connection that gave way to another when all places were taken |
//! | `full` | a request that found all places taken; answered with 503 |
//! | `late` | a request that was not answered in time; answered with 503, or cut off |
//! | `stalled` | a connection that did not take what it was sent |
//! | `broken` | a connection that sent what is not HTTP, or too much of it, or reset its requests too often |
//! | `tls` | a connection whose handshake failed |
//!
//! The time is that of the header, or [`Endpoints::scrape_timeout`] where that is less or there
//! is no header. A collector that blocks cannot be interrupted: it keeps its turn until it
//! returns. Pages are written and compressed on threads that may wait, never on the worker that
//! serves the request, and for half of the time at the most.
//!
//! # Several processes, several machines
//!
//! A scrape sees the process that answers it. Where several share one address, as the workers of a
//! server that forks them beforehand do, give each a Unix socket of its own
//! ([`ListenerBuilder::also`], `server.listen_also`) and list them all as [`Siblings`]
//! (`server.siblings`): `/siblings` is the page of all of them, whichever answers. Scrape it with
//! `honor_labels: true`, so that `instance` stays that of the process. Nothing is added up: that is
//! a query, `sum without (instance) (rate(http_requests_total[5m]))`, and a worker that starts anew
//! is a counter that starts anew.
//!
//! Of several machines no process here asks another. What takes over there:
//!
//! | where | what |
//! |---|---|
//! | Prometheus reaches each instance | service discovery, a target for each; the generated configuration (feature `assets`) has them, `assets.targets` |
//! | a Prometheus for each site, one above them | federation: the upper one scrapes `/federate` of the lower ones for the series of recording rules; `/federate` of an instance has the same form where no Prometheus stands in between |
//! | all samples in one place, for long | remote storage: Prometheus' `remote_write` (`assets.remote_write`) to Thanos, Mimir, Cortex or VictoriaMetrics |
//! | instances that come and go, or cannot be reached | a collector (OpenTelemetry Collector, Grafana Alloy) on each machine or beside each pod, which scrapes `/metrics` or `/siblings` there and sends on |
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

mod api;
mod auth;
mod connection;
mod ending;
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
mod refused;
mod routes;
mod siblings;
mod stream;
#[cfg_attr(not(feature = "tls"), path = "tls/none.rs")]
mod tls;
#[cfg(feature = "rules")]
mod webhook;
mod written;

pub use api::{Operator, Order, Subject};
pub use auth::Auth;
pub(crate) use ending::declare_all;
pub(crate) use listener::serve_alone;
pub use listener::{Limits, ListenError, Listener, ListenerBuilder};
#[cfg(feature = "rules")]
#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
pub use query::QuerySource;
pub use routes::{Endpoints, PathError, router};
pub use siblings::Siblings;
pub use tls::TlsError;
#[cfg(feature = "rules")]
#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
pub use webhook::AlertReceiver;
