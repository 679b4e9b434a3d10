//! What takes the place of the room where its feature is off: nothing, at no cost.

#[cfg(feature = "grpc")]
mod off_current;

use http::Extensions;

use crate::registry::Histogram;
use crate::util::RequestHead;
#[cfg(feature = "grpc")]
pub(crate) use off_current::Current;

#[derive(Clone, Debug, Default)]
pub(crate) struct Source(());

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trace(());

macro_rules! trace_by {
    () => {};
}
pub(crate) use trace_by;

#[expect(clippy::unused_self, reason = "as the room has them")]
impl Source {
    pub(crate) fn of(&self, _: RequestHead<'_>) -> Trace {
        Trace::default()
    }
}

#[expect(clippy::unused_self, reason = "as the room has them")]
impl Trace {
    pub(crate) fn begun(&mut self, _: &Extensions) {}

    pub(crate) fn exemplify(self, _: &Histogram, _: f64) {}
}
