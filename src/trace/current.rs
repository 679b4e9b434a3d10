use std::fmt;
use std::sync::OnceLock;

use super::{Trace, TraceContext};
use crate::registry::{DeclareError, Group, Registry};

type Find = dyn Fn() -> Option<TraceContext> + Send + Sync;

/// Sets the source of the current trace for gRPC calls recorded by hand in this registry, by
/// [`MetricsInterceptor`](crate::grpc::MetricsInterceptor) or
/// [`instrument_grpc!`](crate::instrument_grpc), which see no headers. Needs the features
/// `trace-exemplars` and `grpc`.
///
/// The closure runs once per call, when it starts, on its task. Only the first closure set is used.
/// Default: no current trace.
///
/// ```
/// use selfheal::registry::Registry;
/// use selfheal::trace::{TraceContext, current_by};
///
/// # fn current() -> Option<TraceContext> { None }
/// // At the start of the program, with `current` as above.
/// current_by(Registry::global(), current);
/// ```
pub fn current_by(
    registry: &Registry,
    find: impl Fn() -> Option<TraceContext> + Send + Sync + 'static,
) {
    if let Some(current) = registry.group_or_skip::<Current>() {
        // Only the first one is used.
        let _ = current.0.set(Box::new(find));
    }
}

/// The trace source of calls recorded by hand. A group without metrics, so that each registry has
/// one.
#[derive(Default)]
pub(crate) struct Current(OnceLock<Box<Find>>);

impl Current {
    pub(crate) fn trace(&self) -> Trace {
        Trace::of(self.0.get().and_then(|find| find()))
    }
}

impl Group for Current {
    const NAME: &'static str = "trace";

    fn declare(_: &Registry) -> Result<Self, DeclareError> {
        Ok(Self::default())
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Current")
    }
}
