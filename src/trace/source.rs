use std::fmt;
use std::sync::Arc;

use http::Extensions;

use super::TraceContext;
use crate::registry::Histogram;
use crate::util::RequestHead;

type Find = dyn Fn(RequestHead<'_>) -> Option<TraceContext> + Send + Sync;

/// The source of a request's trace.
#[derive(Clone)]
pub(crate) struct Source(Arc<Find>);

impl Default for Source {
    fn default() -> Self {
        Self(Arc::new(|head| TraceContext::of_headers(head.headers)))
    }
}

impl Source {
    /// Uses this closure.
    pub(crate) fn new(
        find: impl Fn(RequestHead<'_>) -> Option<TraceContext> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(find))
    }

    #[inline]
    pub(crate) fn of(&self, head: RequestHead<'_>) -> Trace {
        Trace::of((self.0)(head))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

/// Generates the setter of a builder with a field `trace: Source`; nothing if the feature is off.
macro_rules! trace_by {
    () => {
        /// Sets another source of a request's trace, `|_| None` for none; see [the module of
        /// traces](crate::trace). Needs the feature `trace-exemplars`. Default:
        /// [`TraceContext::of_headers`](crate::trace::TraceContext::of_headers).
        pub fn trace_by(
            mut self,
            find: impl Fn(crate::util::RequestHead<'_>) -> Option<crate::trace::TraceContext>
            + Send
            + Sync
            + 'static,
        ) -> Self {
            self.trace = crate::trace::Source::new(find);
            self
        }
    };
}
pub(crate) use trace_by;

/// The trace of a request in flight, if any.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trace(Option<TraceContext>);

impl Trace {
    #[inline]
    pub(crate) fn of(context: Option<TraceContext>) -> Self {
        Self(context)
    }

    /// Reads the extensions of the response.
    #[inline]
    pub(crate) fn begun(&mut self, extensions: &Extensions) {
        if let Some(inner) = extensions.get() {
            self.0 = Some(*inner);
        }
    }

    /// Offers the trace as an exemplar of an observed value.
    #[inline]
    pub(crate) fn exemplify(self, histogram: &Histogram, value: f64) {
        if let Some(context) = self.0 {
            histogram.exemplar(value, |labels| {
                labels.push("trace_id", &format!("{:032x}", context.trace));
                if let Some(span) = context.span {
                    labels.push("span_id", &format!("{span:016x}"));
                }
            });
        }
    }
}
