//! The health of the service as a score, and its components.
//!
//! The module is pure: it takes the state of components and the traffic of the last minutes, and
//! computes a [`Score`] and a [`Status`]. The formula and its properties are documented at
//! [`score`]. The score is for people and alerts: no action, readiness or liveness uses it.
//!
//! ```
//! use selfheal::health::{Component, Traffic, score};
//!
//! let database = Component::new("db").share(0.4).health(0.0, "down");
//! let score = score(Some(Traffic { good: 1_000, total: 1_000 }), &[database]);
//! assert_eq!(score.low, 60.0);
//! assert_eq!(score.explanation, "60 = 100 − 40: db down, carries 40 % of traffic");
//! ```

mod component;
mod contributor;
#[cfg(any(feature = "http", feature = "grpc"))]
mod counter;
mod report;
mod score;
mod window;

pub use component::{Component, Status};
pub use contributor::Contributor;
#[cfg(any(feature = "http", feature = "grpc"))]
pub(crate) use counter::TrafficCounter;
pub use report::{Check, Fact, Note, Report, Source};
pub use score::{Score, score};
pub use window::{Traffic, TrafficWindow};
