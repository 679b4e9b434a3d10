use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};

use super::methods::Methods;
use super::metrics::Side;
use super::protocol::{self, Call, Series, Unsettled, started};
use super::status::Content;
use super::tally::{Tally, Waiting};
use super::{headers, path, timeout};
use crate::exchange::{Current, Open};
use crate::trace::Trace;
use crate::util::RequestHead;

impl Methods {
    /// Begins to record a request, unless it is no gRPC call. Also returns the counter for the
    /// messages of the request.
    #[inline]
    pub(super) fn begin(self: &Arc<Self>, request: RequestHead<'_>) -> (Call, Option<Tally>) {
        let side = self.recorder.side;
        let names = [&CONTENT_TYPE, &timeout::GRPC_TIMEOUT];
        let [kind, timeout] = headers::first(request.headers, names);
        let content = Content::of(kind);
        let may_be_call = match content {
            Content::Grpc => true,
            Content::Web => false,
            // tonic routes by path only, whatever the content type; but a browser's OPTIONS request
            // is not a call.
            Content::Other => side == Side::Server && *request.method == Method::POST,
        };
        if !may_be_call {
            return none();
        }
        let path = request.uri.path().strip_prefix('/').unwrap_or_default();
        match self.find(path.as_bytes()) {
            Some(series) => self.of_known(series, self.given(request, timeout)),
            None => self.of_new(request, content, timeout),
        }
    }

    /// The timeout and the trace of a call.
    #[inline]
    fn given(
        &self,
        request: RequestHead<'_>,
        timeout: Option<&HeaderValue>,
    ) -> (Option<Duration>, Trace) {
        let asked = timeout.and_then(timeout::of);
        let timeout = timeout::shorter(asked, self.recorder.timeout);
        (timeout, self.recorder.trace.of(request))
    }

    #[inline]
    fn of_known(
        &self,
        series: &Arc<Series>,
        (timeout, trace): (Option<Duration>, Trace),
    ) -> (Call, Option<Tally>) {
        let open = series.open();
        started(&open);
        let tally = Tally::to(series, &open);
        (self.call((series, open), timeout, trace, None), tally)
    }

    /// Begins a call whose path is none of a known method.
    #[cold]
    fn of_new(
        self: &Arc<Self>,
        request: RequestHead<'_>,
        content: Content,
        timeout: Option<&HeaderValue>,
    ) -> (Call, Option<Tally>) {
        let (service, method) = path::split(request.uri.path());
        let given = || self.given(request, timeout);
        match self.recorder.side {
            Side::Client => match self.by_name(path::last_segment(service), method) {
                Some(series) => self.of_known(series, given()),
                None => none(),
            },
            Side::Server if content == Content::Grpc && !self.excludes(service, method) => {
                self.of_unknown(service, method, given())
            }
            Side::Server => none(),
        }
    }

    #[cold]
    fn of_unknown(
        self: &Arc<Self>,
        service: &str,
        method: &str,
        (timeout, trace): (Option<Duration>, Trace),
    ) -> (Call, Option<Tally>) {
        let series = self.unknown();
        if !self.learns(service, method) {
            return self.of_known(series, (timeout, trace));
        }
        let waiting = Arc::new(Waiting::default());
        let unsettled = Box::new(Unsettled {
            methods: Arc::clone(self),
            service: service.into(),
            method: method.into(),
            waiting: Arc::clone(&waiting),
        });
        let call = self.call((series, series.open()), timeout, trace, Some(unsettled));
        (call, Some(Tally::Later(waiting)))
    }

    /// Records a call that a channel refused before it was handed over, so its method is unknown.
    #[cold]
    pub(super) fn refused(&self, error: &mut dyn Any) {
        let (mut call, _) = self.of_known(self.unknown(), (None, Trace::default()));
        protocol::failed(&mut call, error);
    }

    /// Begins an active call, with the current handles of its series.
    #[inline]
    pub(super) fn call(
        &self,
        (series, open): (&Arc<Series>, Current<'_, Open>),
        timeout: Option<Duration>,
        trace: Trace,
        unsettled: Option<Box<Unsettled>>,
    ) -> Call {
        let timed = self.timed || timeout.is_some();
        let start = timed.then(|| self.recorder.clock.mark());
        let mut call = Call::begin(series, start, trace, (timeout, unsettled));
        if let Some(state) = call.state_mut() {
            state.enter_by(open);
        }
        call
    }
}

#[cold]
fn none() -> (Call, Option<Tally>) {
    (Call::default(), None)
}
