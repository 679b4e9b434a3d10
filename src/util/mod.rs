//! Helpers without dependencies on other modules: the injected clock, text of bounded length, and
//! text that is safe to print on a terminal.

#[cfg(feature = "healing")]
mod awake;
mod bounded;
#[cfg(any(feature = "http", feature = "http-client"))]
mod causes;
#[cfg(feature = "rules")]
mod civil;
mod clock;
mod closed;
#[cfg(feature = "http")]
mod coarse;
mod distance;
pub mod escape;
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
mod head;
#[cfg(any(feature = "healing", feature = "server"))]
mod json;
#[cfg(any(feature = "server", feature = "prometheus"))]
mod line;
#[cfg(feature = "rules")]
mod millis;
mod padded;
#[cfg(any(feature = "http", feature = "grpc"))]
mod pattern;
#[cfg(feature = "healing")]
pub(crate) mod place;
mod printable;
#[cfg(feature = "rules")]
mod stale;
pub(crate) mod stripes;
#[cfg(feature = "tsc")]
mod tsc;
#[cfg(not(feature = "tsc"))]
#[path = "tsc_off.rs"]
mod tsc;
#[cfg(any(feature = "http", feature = "server"))]
mod unrecorded;
#[cfg(feature = "healing")]
mod uptime;
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
mod verb;
#[cfg(feature = "healing")]
mod words;

#[cfg(feature = "healing")]
pub(crate) use awake::Awake;
pub use bounded::BoundedStr;
#[cfg(any(feature = "http", feature = "http-client"))]
pub(crate) use causes::causes;
#[cfg(feature = "rules")]
pub(crate) use civil::{civil, from_rfc_3339};
pub(crate) use clock::Mark;
pub use clock::{Clock, ManualClock};
pub use closed::ClosedSet;
pub(crate) use closed::closed_set;
pub(crate) use distance::{distance, nearest};
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
pub use head::RequestHead;
#[cfg(feature = "rules")]
pub(crate) use json::quoted;
#[cfg(any(feature = "healing", feature = "server"))]
pub(crate) use json::write_json;
#[cfg(any(feature = "server", feature = "prometheus"))]
pub(crate) use line::{SampleLine, head_line};
#[cfg(feature = "rules")]
pub(crate) use millis::{millis, unix_millis};
pub(crate) use padded::{LINE, Padded};
#[cfg(any(feature = "http", feature = "grpc"))]
pub(crate) use pattern::Pattern;
pub use printable::Printable;
#[cfg(feature = "server")]
pub(crate) use printable::pieces;
#[cfg(feature = "rules")]
#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
pub use stale::STALE;
#[cfg(any(feature = "http", feature = "server"))]
pub use unrecorded::Unrecorded;
#[cfg(feature = "healing")]
pub use uptime::Uptime;
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
pub(crate) use verb::Verb;
#[cfg(feature = "healing")]
pub(crate) use words::{lasting, plain};
