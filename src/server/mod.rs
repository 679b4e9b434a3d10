//! The endpoints: `/metrics`, `/health`, `/livez`, `/readyz` and a page at `/`, as an axum
//! router to merge into an application's own, or on a [`Listener`] of their own.
//!
//! The room promises:
//! - Every answer is bounded in size by what the service itself declared, and nothing that a
//!   client sends is echoed unescaped.
//! - `/metrics` negotiates format and compression; too many scrapes at once are refused with
//!   503 and `Retry-After` instead of piling up.
//! - `/livez` says whether the inside makes progress, and nothing about dependencies;
//!   `/readyz` whether the service wants traffic; `/health` is for people and load balancers:
//!   200, or 503 while a component is down.
//! - The listener binds to what it is told, has a bound on connections, closes silent ones,
//!   and stops gracefully.
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
mod listener;
mod metrics;
mod page;
mod routes;

pub use auth::Auth;
pub use listener::{Limits, ListenError, Listener};
pub use routes::{Endpoints, router};
