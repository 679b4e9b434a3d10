use super::interceptor::GrpcCall;
use crate::trace::{Trace, TraceContext};

impl GrpcCall {
    /// Sets the trace of the call; `None` changes nothing. Needs the feature `trace-exemplars`.
    /// Default: the trace that is [current](crate::trace::current_by) when the call starts.
    ///
    /// ```
    /// use selfheal::grpc::MetricsInterceptor;
    /// use selfheal::trace::TraceContext;
    /// use tonic::{Request, Response, Status};
    ///
    /// async fn find(request: Request<u32>) -> Result<Response<u32>, Status> {
    ///     let call = MetricsInterceptor::start_request("shop.v1.Orders", "Find")
    ///         .trace(TraceContext::of_headers(request.metadata().as_ref()));
    ///     call.result(Ok(Response::new(request.into_inner())))
    /// }
    /// ```
    pub fn trace(mut self, context: Option<TraceContext>) -> Self {
        if context.is_some()
            && let Some(state) = self.0.state_mut()
        {
            state.trace = Trace::of(context);
        }
        self
    }
}
