use std::sync::OnceLock;

use super::trace;
use crate::healing::core::Name;

/// A condition of an engine that is no fault, such as a missing setting: logged once, and shown in
/// the health report from then on.
#[derive(Debug)]
pub(in crate::healing) struct Remark {
    engine: Name,
    text: OnceLock<&'static str>,
}

impl Remark {
    pub(super) const fn new(engine: Name) -> Self {
        Self {
            engine,
            text: OnceLock::new(),
        }
    }

    /// Sets the remark; the first one counts.
    pub(in crate::healing) fn make(&self, text: &'static str) {
        if self.text.set(text).is_ok() {
            trace::remark(&self.engine, text);
        }
    }

    pub(super) fn text(&self) -> Option<&'static str> {
        self.text.get().copied()
    }
}
