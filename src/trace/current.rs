use std::fmt;
use std::sync::OnceLock;

use super::{Trace, TraceContext};
use crate::registry::{DeclareError, Group, Registry};

type Find = dyn Fn() -> Option<TraceContext> + Send + Sync;

/// Says which trace is the current one, for gRPC calls that are recorded by hand in this
/// registry: those of [`MetricsInterceptor`](crate::grpc::MetricsInterceptor) and
/// [`instrument_grpc!`](crate::instrument_grpc), which see no headers. Only with the features
/// `trace-exemplars` and `grpc`.
///
/// The closure runs once for each call, as it starts, on the task that has it. Of several, the
/// first counts. Default: there is no current trace.
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
        // The first counts.
        let _ = current.0.set(Box::new(find));
    }
}

/// Where the traces of what is recorded by hand come from. It has no metrics, and is a group so
/// that each registry has one.
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
