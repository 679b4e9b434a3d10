//! RAII trackers: start one when a piece of work begins, and the work is recorded however it
//! ends.
//!
//! The room promises:
//! - A [`Tracker`] records exactly once: as success or error where the code says so, as an
//!   error of type `panic` where it unwinds, as abandoned where it is dropped early (a future
//!   that was cancelled, a `?` on the way).
//! - It never panics and never fails. Where its metrics clash with others that the application
//!   declared under the same names, it records nothing, and the scrape says so in
//!   `selfheal_collectors_skipped_total`.
//! - It takes two readings of the clock. It takes no lock and, once the series are there and as
//!   long as what names the work has at most 112 bytes, allocates nothing.
//!
//! A kind of work is one short file in `kinds`, without logic: its metrics, and what of them
//! moves when the work ends. Your own kinds are made by the same means, see [`TrackerKind`].
//!
//! ```
//! use selfheal::registry::Registry;
//! use selfheal::track::LlmCall;
//!
//! let registry = Registry::new();
//! let call = LlmCall::start_in(&registry, "openai", "gpt-4", "completion");
//! call.success(1_200, 350, 0.021);
//!
//! drop(LlmCall::start_in(&registry, "openai", "gpt-4", "completion")); // counted as abandoned
//! assert!(registry.gather().iter().any(|family| family.def.name == "llm_cost_usd_total"));
//! ```

mod kind;
mod kinds;
mod texts;
mod tracker;

pub use kind::{Outcome, TrackerKind};
pub use kinds::{ApiCall, ApiMetrics, LlmCall, LlmMetrics};
pub use tracker::Tracker;
