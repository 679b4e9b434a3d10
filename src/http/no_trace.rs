//! What takes the place of `trace` where its feature is off: nothing, at no cost.

use http::{Extensions, Request};

use crate::registry::Histogram;

#[derive(Clone, Debug, Default)]
pub(super) struct Source(());

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trace(());

#[expect(clippy::unused_self, reason = "as `trace` has them")]
impl Source {
    pub(super) fn of<B>(&self, _: &Request<B>) -> Trace {
        Trace::default()
    }
}

#[expect(clippy::unused_self, reason = "as `trace` has them")]
impl Trace {
    pub(super) fn begun(&mut self, _: &Extensions) {}

    pub(super) fn exemplify(self, _: &Histogram, _: f64) {}
}
