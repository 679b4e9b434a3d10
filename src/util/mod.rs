//! Small tools that every room may use and that know nothing of any room:
//! the injected clock and text that cannot grow without bound.

mod bounded;
mod clock;
pub mod escape;

pub use bounded::BoundedStr;
pub use clock::{Clock, ManualClock};
