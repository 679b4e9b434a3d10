use super::layer::HttpClientLayerBuilder;
use crate::trace::{Source, TraceContext};
use crate::util::RequestHead;

impl HttpClientLayerBuilder {
    /// Finds the trace of a request in another way, `|_| None` for none; see
    /// [the room of traces](crate::trace). Only with the feature `trace-exemplars`. Default:
    /// [`TraceContext::of_headers`].
    pub fn trace_by(
        mut self,
        find: impl Fn(RequestHead<'_>) -> Option<TraceContext> + Send + Sync + 'static,
    ) -> Self {
        self.trace = Source::new(find);
        self
    }
}
