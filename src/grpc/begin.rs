use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::CONTENT_TYPE;

use super::methods::Methods;
use super::metrics::Side;
use super::protocol::{self, Call, Series, Unsettled, started};
use super::status::Content;
use super::tally::{Tally, Waiting};
use super::{headers, path, timeout};
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
        let (service, method) = path::split(request.uri.path());
        let found = match side {
            Side::Client => self.by_name(path::last_segment(service), method),
            Side::Server => self.find(service, method),
        };
        let given = || {
            let asked = timeout.and_then(timeout::of);
            let timeout = timeout::shorter(asked, self.recorder.timeout);
            (timeout, self.recorder.trace.of(request))
        };
        let Some(series) = found else {
            let counts =
                side == Side::Server && content == Content::Grpc && !self.excludes(service, method);
            return if counts {
                self.of_unknown(service, method, given())
            } else {
                none()
            };
        };
        let (timeout, trace) = given();
        started(series);
        (self.call(series, timeout, trace, None), Tally::to(series))
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
            started(series);
            return (self.call(series, timeout, trace, None), Tally::to(series));
        }
        let waiting = Arc::new(Waiting::default());
        let unsettled = Box::new(Unsettled {
            methods: Arc::clone(self),
            service: service.into(),
            method: method.into(),
            waiting: Arc::clone(&waiting),
        });
        let call = self.call(series, timeout, trace, Some(unsettled));
        (call, Some(Tally::Later(waiting)))
    }

    /// Records a call that a channel refused before it was handed over, so its method is unknown.
    #[cold]
    pub(super) fn refused(&self, error: &mut dyn Any) {
        let series = self.unknown();
        started(series);
        let mut call = self.call(series, None, Trace::default(), None);
        protocol::failed(&mut call, error);
    }

    /// Begins an active call.
    #[inline]
    pub(super) fn call(
        &self,
        series: &Arc<Series>,
        timeout: Option<Duration>,
        trace: Trace,
        unsettled: Option<Box<Unsettled>>,
    ) -> Call {
        let timed = self.timed || timeout.is_some();
        let start = timed.then(|| self.recorder.clock.mark());
        let mut call = Call::begin(series, start, trace, (timeout, unsettled));
        if let Some(state) = call.state_mut() {
            state.enter();
        }
        call
    }
}

#[cold]
fn none() -> (Call, Option<Tally>) {
    (Call::default(), None)
}
