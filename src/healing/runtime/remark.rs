use std::sync::OnceLock;

use super::trace;
use crate::healing::core::Name;

/// What is to be known of an engine that is no fault, such as a setting that is missing: once in
/// the log, and in the health report from then on.
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

    /// Makes it known; the first counts.
    pub(in crate::healing) fn make(&self, text: &'static str) {
        if self.text.set(text).is_ok() {
            trace::remark(&self.engine, text);
        }
    }

    pub(super) fn text(&self) -> Option<&'static str> {
        self.text.get().copied()
    }
}
