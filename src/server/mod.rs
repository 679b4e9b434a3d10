//! The endpoints: `/metrics`, `/health`, `/livez`, `/readyz` and a page, as an axum router to merge
//! into an application's own, or on a [`Listener`] of their own.
//!
//! The room promises:
//! - Every answer is bounded in size by what the service itself declared, and nothing that a
//!   client sends is echoed unescaped.
//! - `/metrics` negotiates format and compression. Four scrapes are written at a time; sixteen
//!   more wait for their turn, each no longer than its scraper does
//!   (`X-Prometheus-Scrape-Timeout-Seconds`, which Prometheus sends). A scrape that cannot be
//!   finished in that time is given up, not written for nobody.
//! - `/livez` says whether the inside makes progress, and nothing about dependencies;
//!   `/readyz` whether the service wants traffic; `/health` is for people and load balancers:
//!   200, or 503 while a component is down.
//! - The listener binds to what it is told, has a bound on connections, closes silent ones,
//!   and stops gracefully.
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
//! | `busy` | no turn in nine tenths of its time, or more than sixteen waiting |
//! | `late` | a turn, but nothing to send in nine tenths of its time, or not all of it in the whole time: collectors that block, or a slow reader |
//! | `gone` | the scraper hung up before the end |
//! | `failed` | the page could not be written |
//!
//! The time is that of the header, or [`Endpoints::scrape_timeout`] where that is less or there
//! is no header. A collector that blocks cannot be interrupted: it keeps its turn until it
//! returns. Up to 5,000 series are written at once, on the thread that serves the request;
//! more on a thread that may wait, in chunks of 64 KiB, a few of which are held.
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

mod auth;
mod limit;
mod links;
mod listener;
mod metrics;
mod page;
mod routes;
mod stream;
mod turns;

pub use auth::Auth;
pub use listener::{Limits, ListenError, Listener};
pub use routes::{Endpoints, router};
