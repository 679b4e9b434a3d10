//! What a user of the crate writes: an engine, as an implementation of [`HealingEngine`] or as a
//! [`Rule`] put together from closures.

mod api;
// The run-time calls what nobody else does.
#[allow(dead_code)]
mod context;
// The run-time is what uses these.
#[allow(dead_code)]
mod dynamic;
mod error;
mod pieces;
mod rule;
#[allow(dead_code)]
mod timeline;

pub use api::{HealingEngine, Precondition};
pub use context::Context;
pub use error::{HealError, HealErrorKind};
pub use pieces::{Action, Check, Detector, Verifier};
pub use rule::{Rule, When};

#[allow(unused_imports)]
pub(super) use dynamic::{Boxed, DynEngine};
#[allow(unused_imports)]
pub(super) use timeline::Timeline;
