use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tonic::{Code, Status};

use super::exclude::Exclude;
use super::methods::{Learn, Methods};
use super::metrics::{self, GrpcMetrics, Side};
use super::names::GrpcNames;
use super::protocol::{Call, Recorder, State};
use crate::exchange::Open;
use crate::registry::{Counter, DeclareError, Group, Registry};
use crate::trace::{Current, Source};
use crate::util::Clock;

/// Records gRPC calls by hand, for code that no layer covers.
///
/// It records [`GrpcMetrics`] under the given names, which must be literals, not client input.
/// After 1,000 methods, further ones are `unknown`.
///
/// With the feature `trace-exemplars`, the duration carries the trace that is current when the call
/// starts, from the source set by `trace::current_by`, or the one given to [`GrpcCall`].
///
/// ```
/// use selfheal::grpc::MetricsInterceptor;
/// use tonic::Code;
///
/// # fn find() -> Option<u32> { None }
/// let call = MetricsInterceptor::start_request("shop.v1.Orders", "Find");
/// match find() {
///     Some(_) => call.success(),
///     None => call.error(Code::NotFound),
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MetricsInterceptor;

impl MetricsInterceptor {
    /// Starts a call in the global registry.
    pub fn start_request(service: &str, method: &str) -> GrpcCall {
        Self::start_request_in(Registry::global(), service, method)
    }

    /// Starts a call in `registry`.
    pub fn start_request_in(registry: &Registry, service: &str, method: &str) -> GrpcCall {
        let by_hand = registry.group_or_skip::<ByHand>();
        let call = by_hand.and_then(|by_hand| {
            let series = by_hand.methods.by_name(service, method)?;
            let trace = by_hand.current.trace();
            let series = (series, series.open());
            Some(by_hand.methods.call(series, None, trace, None))
        });
        GrpcCall(call.unwrap_or_default())
    }
}

/// A gRPC call recorded by hand: counted by its code, timed, and active until it ends.
///
/// If it is dropped without a result it counts as `CANCELLED`, in a panic as `UNKNOWN`. It never
/// panics or fails: if its metrics clash with others that the application declared under the same
/// names, it records nothing, and `selfheal_collectors_skipped_total` counts it.
#[derive(Debug)]
#[must_use = "a call that is dropped at once is recorded as cancelled"]
pub struct GrpcCall(pub(super) Call);

impl GrpcCall {
    /// Ends the call with `OK`.
    pub fn success(self) {
        self.error(Code::Ok);
    }

    /// Ends the call with this code.
    pub fn error(mut self, code: Code) {
        self.0.end(code);
    }

    /// Ends the call with the code of this result, and returns the result.
    pub fn result<T>(self, result: Result<T, Status>) -> Result<T, Status> {
        self.error(result.as_ref().map_or_else(Status::code, |_| Code::Ok));
        result
    }

    /// Counts a message from the client.
    pub fn received(&self) {
        self.count(|open| &open.requests);
    }

    /// Counts a message to the client.
    pub fn sent(&self) {
        self.count(|open| &open.responses);
    }

    /// The duration of the call so far; zero if no duration is recorded.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let took = self.0.state().and_then(State::elapsed);
        took.unwrap_or_default()
    }

    fn count(&self, of: impl FnOnce(&Open) -> &[Counter]) {
        let Some(state) = self.0.state() else { return };
        for counter in of(&state.open()) {
            counter.inc();
        }
    }
}

impl Drop for GrpcCall {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end(Code::Unknown);
        }
    }
}

/// Records `call` in the global registry and returns its result. The macro
/// [`instrument_grpc!`](crate::instrument_grpc) does the same.
///
/// The call starts when the future is first polled. Dropping the future before completion records
/// it as `CANCELLED`.
///
/// # Errors
/// The errors of `call`, unchanged.
pub async fn instrument<T>(
    service: &str,
    method: &str,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    let started = MetricsInterceptor::start_request(service, method);
    started.result(call.await)
}

/// Records a gRPC call in the global registry: takes the service, the method, and the future of its
/// result. Does the same as [`instrument`](crate::grpc::instrument).
///
/// ```
/// use tonic::{Request, Response, Status};
///
/// async fn find(request: Request<u32>) -> Result<Response<String>, Status> {
///     selfheal::instrument_grpc!("shop.v1.Orders", "Find", async {
///         match request.into_inner() {
///             7 => Ok(Response::new("an order".to_owned())),
///             _ => Err(Status::not_found("no such order")),
///         }
///     })
///     .await
/// }
/// ```
#[macro_export]
macro_rules! instrument_grpc {
    ($service:expr, $method:expr, $call:expr $(,)?) => {
        $crate::grpc::instrument($service, $method, $call)
    };
}

/// The methods recorded by hand in one registry.
struct ByHand {
    methods: Methods,
    current: Arc<Current>,
}

impl Group for ByHand {
    const NAME: &'static str = "grpc";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        let recorder = Recorder {
            naming: registry.group::<GrpcMetrics>()?,
            clock: Clock::system(),
            trace: Source::default(),
            side: Side::Server,
            timeout: None,
            traffic: metrics::traffic(registry, Side::Server, GrpcNames::Catalog)?,
        };
        Ok(Self {
            current: registry.group()?,
            methods: Methods::new(recorder, Learn::FromNames, Exclude::default()),
        })
    }
}
