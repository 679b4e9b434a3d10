//! The API for writing an engine: implement [`HealingEngine`], or build a [`Rule`] from closures.

mod api;
mod boxed;
mod context;
mod dynamic;
mod error;
mod pieces;
mod rule;
mod timeline;

pub use api::{HealingEngine, Precondition};
pub use boxed::BoxedEngine;
pub use context::Context;
pub use error::{HealError, HealErrorKind};
pub use pieces::{Detector, RulePart};
pub use rule::{Rule, When};

pub(super) use dynamic::DynEngine;
pub(super) use timeline::Timeline;
