//! Replaces the module if its feature is off: no-ops without cost.

use http::Extensions;

use crate::registry::Histogram;
use crate::util::RequestHead;
#[cfg(feature = "grpc")]
pub(crate) use current::Current;

#[derive(Clone, Debug, Default)]
pub(crate) struct Source(());

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trace(());

macro_rules! trace_by {
    () => {};
}
pub(crate) use trace_by;

#[expect(clippy::unused_self, reason = "the same as in the module")]
impl Source {
    pub(crate) fn of(&self, _: RequestHead<'_>) -> Trace {
        Trace::default()
    }
}

#[expect(clippy::unused_self, reason = "the same as in the module")]
impl Trace {
    pub(crate) fn begun(&mut self, _: &Extensions) {}

    pub(crate) fn exemplify(self, _: &Histogram, _: f64) {}
}

#[cfg(feature = "grpc")]
mod current {
    use super::Trace;
    use crate::registry::{DeclareError, Group, Registry};

    #[derive(Debug)]
    pub(crate) struct Current(());

    #[expect(clippy::unused_self, reason = "the same as in the module")]
    impl Current {
        pub(crate) fn trace(&self) -> Trace {
            Trace::default()
        }
    }

    impl Group for Current {
        const NAME: &'static str = "trace";

        fn declare(_: &Registry) -> Result<Self, DeclareError> {
            Ok(Self(()))
        }
    }
}
