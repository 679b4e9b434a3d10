//! Metrics in tests: reads the value of a series, compares readings, and asserts with messages that
//! show the nearest series.
//!
//! Guarantees:
//! - Reads what a scrape would read, with the names of a scrape: for a histogram `…_count`, `…_sum`
//!   and `…_bucket` with its `le`, for a state set a series per state. The order of labels does not
//!   matter, and the namespace may be omitted.
//! - Works with a [`Registry`](crate::registry::Registry) and with a handle: anything that is
//!   `AsRef<Registry>`.
//! - Only the functions that begin with `assert`, [`Changes::assert`] and [`check_catalogue`]
//!   panic, with the caller's location. No other function of this crate does.
//!
//! Tests run in parallel, so each should create its own registry and pass it to the code under
//! test; there is nothing to reset or lock. If that code requires the global registry, compare two
//! [`Reading`]s and use label values that no other test uses.
//!
//! ```
//! use selfheal::registry::{Counter, DeclareError, Family, Registry, Text};
//! use selfheal::testing::{self, Reading};
//!
//! # fn main() -> Result<(), DeclareError> {
//! let registry = Registry::new(); // of this test alone
//! let orders: Family<Counter, [Text; 2]> =
//!     registry.counter("orders_total", "Orders").labels(["shop", "payment"])?;
//! orders.inc(&["north", "card"]);
//! testing::assert_value(
//!     &registry,
//!     "orders_total",
//!     &[("payment", "card"), ("shop", "north")],
//!     1.0,
//! );
//!
//! let before = Reading::of(&registry);
//! orders.add(&["north", "card"], 2);
//! orders.inc(&["south", "cash"]);
//! let after = Reading::of(&registry);
//! after.since(&before).assert(&[
//!     r#"orders_total{payment="card",shop="north"} +2"#,
//!     r#"orders_total{payment="cash",shop="south"} +1"#,
//! ]);
//! assert_eq!(after.sum("orders_total", &[("shop", "north")]), 3.0);
//! # Ok(())
//! # }
//! ```
//!
//! A failed assertion shows the series nearest to the given one:
//!
//! ```should_panic
//! # use selfheal::registry::Registry;
//! # let registry = Registry::new();
//! # registry.counter("orders_total", "Orders").build().unwrap().inc();
//! // oders_total is not there, expected 1; nearest:
//! //   orders_total 1
//! selfheal::testing::assert_value(&registry, "oders_total", &[], 1.0);
//! ```
//!
//! With a handle of the test's own, and a clock set by hand:
//!
//! ```
//! use selfheal::{Config, Selfheal, testing};
//! use selfheal::util::Clock;
//!
//! # fn main() -> Result<(), selfheal::InstallError> {
//! let (clock, time) = Clock::manual();
//! let heal = Selfheal::with_clock(Config::new().namespace("shop"), clock)?;
//! time.advance(std::time::Duration::from_secs(90));
//! testing::assert_value(&heal, "uptime_seconds", &[], 90.0);
//! # Ok(())
//! # }
//! ```

//! # Responses
//!
//! The HTTP and gRPC layers record a request when the body of its response *ends*. A test that
//! checks the head of a response and drops the rest counts as a disconnected client: status `499`
//! (`CANCELLED` for gRPC). [`read_to_end`] reads the rest:
#![cfg_attr(
    feature = "http",
    doc = "```
use axum::{Router, body::Body, extract::Request, http::StatusCode, routing::get};
use selfheal::{Config, Selfheal, testing};
use tower::ServiceExt;

# #[tokio::main(flavor = \"current_thread\")]
# async fn main() -> Result<(), Box<dyn std::error::Error>> {
let heal = Selfheal::new(Config::new())?;
let app = Router::new().route(\"/\", get(|| async { \"hello\" })).layer(heal.http_layer());
let ask = || app.clone().oneshot(Request::new(Body::empty()));

let response = testing::read_to_end(ask().await?).await?;
assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, &b\"hello\"[..]));
let labels = [(\"method\", \"GET\"), (\"path\", \"/\"), (\"status\", \"200\")];
testing::assert_value(&heal, \"http_requests_total\", &labels, 1.0);

assert_eq!(ask().await?.status(), StatusCode::OK); // and dropped unread
let labels = [(\"method\", \"GET\"), (\"path\", \"/\"), (\"status\", \"499\")];
testing::assert_value(&heal, \"http_requests_total\", &labels, 1.0);
# Ok(())
# }
```"
)]

mod assert;
mod catalogue;
mod changes;
#[cfg(feature = "server")]
mod connection;
#[cfg(feature = "rules")]
#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
pub mod promqltest;
#[cfg(feature = "rules")]
mod promtool;
mod reading;
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
mod response;
mod series;

pub use assert::{assert_absent, assert_value, value};
pub use catalogue::check_catalogue;
pub use changes::Changes;
#[cfg(feature = "server")]
pub use connection::serve_connection;
#[cfg(feature = "rules")]
#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
pub use promtool::{PromtoolError, promtool};
pub use reading::Reading;
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
pub use response::read_to_end;

#[cfg(test)]
mod tests;
