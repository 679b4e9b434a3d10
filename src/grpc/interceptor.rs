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

/// Records gRPC calls by hand, for code that no layer sees.
///
/// It records [`GrpcMetrics`], by the names that it is given: literals, not what a client
/// sent. After 1,000 methods, all further ones are `unknown`.
///
/// With the feature `trace-exemplars`, the duration carries the trace that is current as the call
/// starts, by what `trace::current_by` was given, or the one that [`GrpcCall`] is given.
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
    /// Starts a call in the registry of the process.
    pub fn start_request(service: &str, method: &str) -> GrpcCall {
        Self::start_request_in(Registry::global(), service, method)
    }

    /// Starts a call in `registry`.
    pub fn start_request_in(registry: &Registry, service: &str, method: &str) -> GrpcCall {
        let by_hand = registry.group_or_skip::<ByHand>();
        let call = by_hand.and_then(|by_hand| {
            let series = by_hand.methods.by_name(service, method)?;
            let trace = by_hand.current.trace();
            Some(by_hand.methods.call(series, None, trace, None))
        });
        GrpcCall(call.unwrap_or_default())
    }
}

/// A gRPC call recorded by hand: counted by its code, timed, and active until it ends.
///
/// Dropped without a word it counts as `CANCELLED`, in a panic as `UNKNOWN`. It never panics
/// and never fails: where its metrics clash with others that the application declared under
/// the same names, it records nothing, and the scrape says so in
/// `selfheal_collectors_skipped_total`.
#[derive(Debug)]
#[must_use = "a call that is dropped at once is recorded as cancelled"]
pub struct GrpcCall(pub(super) Call);

impl GrpcCall {
    /// The call went well: `OK`.
    pub fn success(self) {
        self.error(Code::Ok);
    }

    /// The call ended with this code.
    pub fn error(mut self, code: Code) {
        self.0.end(code);
    }

    /// The call ended with this result, which is handed on.
    pub fn result<T>(self, result: Result<T, Status>) -> Result<T, Status> {
        self.error(result.as_ref().map_or_else(Status::code, |_| Code::Ok));
        result
    }

    /// A message has come from the client.
    pub fn received(&self) {
        self.count(|open| &open.requests);
    }

    /// A message was sent to the client.
    pub fn sent(&self) {
        self.count(|open| &open.responses);
    }

    /// How long the call has taken so far; zero where no duration is recorded.
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

/// Records what `call` does in the registry of the process, and hands on its result. The macro
/// [`instrument_grpc!`](crate::instrument_grpc) is the same in another form.
///
/// Dropping the future before it is ready records the call as `CANCELLED`. The call starts
/// when the future is first polled.
///
/// # Errors
/// Those of `call`, unchanged.
pub async fn instrument<T>(
    service: &str,
    method: &str,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    let started = MetricsInterceptor::start_request(service, method);
    started.result(call.await)
}

/// Records a gRPC call in the registry of the process: service, method, and the future of its
/// result. The same as [`instrument`](crate::grpc::instrument).
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

/// The methods that were recorded by hand in one registry.
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
