//! RAII trackers: start one when a piece of work begins, and its outcome is recorded however it
//! ends.
//!
//! Guarantees:
//! - A [`Tracker`] records exactly once: success or error if the code reports it, an error of type
//!   `panic` if it unwinds, abandoned if it is dropped early (a cancelled future, a `?`).
//! - It never panics and never fails. If its metrics clash with others that the application
//!   declared under the same names, it records nothing, and `selfheal_collectors_skipped_total`
//!   counts it.
//! - It reads the clock twice. It takes no lock and, once the series exist and if its texts have at
//!   most 112 bytes together, allocates nothing.
//!
//! [`groups`](crate::groups) has ready-made kinds of work. Define your own with the same means:
//! metrics by [`group!`](crate::group!), a tracker by [`tracker!`](crate::tracker!) or, if texts do
//! not identify the work, by [`TrackerKind`].
//!
//! | code | tracked by |
//! |---|---|
//! | anything | `let call = LlmCall::start(…)`, then `call.success(…)`, `call.error(…)` or `call.result(…)` |
//! | a future that returns a `Result` | [`future.tracked(kind)`](TrackFuture::tracked), `tracker.run(future)` |
//! | a closure or future that cannot fail | [`measure`], [`measure_async`] |
//! | a section of code, only its duration | [`Histogram::timer`](crate::registry::Histogram::timer), [`Histogram::measure`](crate::registry::Histogram::measure) |
//!
//! ```
//! use selfheal::groups::LlmCall;
//! use selfheal::registry::Registry;
//!
//! let registry = Registry::new();
//! let call = LlmCall::start_in(&registry, "openai", "gpt-4", "completion");
//! call.success(1_200, 350, 0.021);
//!
//! drop(LlmCall::start_in(&registry, "openai", "gpt-4", "completion")); // counted as abandoned
//! assert!(registry.gather().iter().any(|family| family.def.name == "llm_cost_usd_total"));
//! ```
//!
//! The first outcome counts: recording it consumes the tracker, so a second does not compile.
//!
//! ```compile_fail,E0382
//! use selfheal::groups::PlaybookRun;
//! use selfheal::registry::Registry;
//!
//! let run = PlaybookRun::start_in(&Registry::new(), "restart");
//! run.success();
//! run.error("timeout");
//! ```

mod future;
mod kind;
mod macros;
mod texts;
mod tracker;

pub use future::{TrackFuture, measure, measure_async};
pub use kind::{Outcome, TrackerKind};
pub use texts::Texts;
pub use tracker::Tracker;
