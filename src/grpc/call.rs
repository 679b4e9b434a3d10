use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::response::Parts;
use http::{Method, StatusCode};
use http_body::{Body, Frame};
use tonic::Code;

use super::frames::FrameCounter;
use super::methods::Methods;
use super::metrics::Side;
use super::series::Series;
use super::status::{self, Content};
use super::tally::{Tally, Waiting};
use super::{headers, path, timeout};
use crate::exchange::Spare;
use crate::trace::Trace;
use crate::util::{Mark, RequestHead};

/// One call on its way. It travels from the request through the future into the body of the
/// response, and whatever becomes of those, it records the call exactly once: where it is
/// told of the end, or else where it is dropped.
///
/// It is one pointer: futures and responses are moved many times between the layers of a
/// stack, and a move of fields that were just written makes the processor wait for the stores.
/// The state behind it is used again for the next call.
#[derive(Default)]
pub(super) struct Call(Option<Box<State>>);

thread_local! {
    static SPARE: Spare<State> = const { Spare::new() };
}

struct State {
    /// Those of the last call until there is a next, which spares the count of references
    /// where that is of the same method.
    series: Arc<Series>,
    progress: Progress,
}

/// How far a call has come.
struct Progress {
    /// When it began, if anybody wants to know.
    start: Option<Mark>,
    /// The time that it was given.
    timeout: Option<Duration>,
    trace: Trace,
    /// What it is if the response ends without a code.
    codeless: Code,
    /// Whether code of the application runs on top of the call. If it is dropped then, that
    /// code has panicked and this is the unwinding.
    inside: bool,
    /// The messages of the response.
    frames: FrameCounter,
    /// Until it turns out whether somebody serves the method.
    unsettled: Option<Box<Unsettled>>,
}

struct Unsettled {
    methods: Arc<Methods>,
    service: Box<str>,
    method: Box<str>,
    waiting: Arc<Waiting>,
}

impl Call {
    /// Begins to record a request, unless it is no gRPC call. Also says where the messages of
    /// the request are counted.
    #[inline]
    pub(super) fn begin(methods: &Arc<Methods>, request: RequestHead<'_>) -> (Self, Option<Tally>) {
        let side = methods.recorder.side;
        let names = [&CONTENT_TYPE, &timeout::GRPC_TIMEOUT];
        let [kind, timeout] = headers::first(request.headers, names);
        let content = Content::of(kind);
        let may_be_call = match content {
            Content::Grpc => true,
            Content::Web => false,
            // What tonic serves it serves by the path alone, whatever the content type, but a
            // browser's OPTIONS is no call.
            Content::Other => side == Side::Server && *request.method == Method::POST,
        };
        if !may_be_call {
            return Self::none();
        }
        let (service, method) = path::split(request.uri.path());
        let found = match side {
            Side::Client => methods.by_name(path::last_segment(service), method),
            Side::Server => methods.find(service, method),
        };
        let given = || {
            let asked = timeout.and_then(timeout::of);
            let timeout = timeout::shorter(asked, methods.recorder.timeout);
            (timeout, methods.recorder.trace.of(request))
        };
        let Some(series) = found else {
            let counts = side == Side::Server
                && content == Content::Grpc
                && !methods.excludes(service, method);
            return if counts {
                Self::of_unknown(methods, service, method, given())
            } else {
                Self::none()
            };
        };
        let (timeout, trace) = given();
        series.started();
        (Self::new(series, timeout, trace), Tally::to(series))
    }

    #[cold]
    fn none() -> (Self, Option<Tally>) {
        (Self::default(), None)
    }

    #[cold]
    fn of_unknown(
        methods: &Arc<Methods>,
        service: &str,
        method: &str,
        (timeout, trace): (Option<Duration>, Trace),
    ) -> (Self, Option<Tally>) {
        let series = methods.unknown();
        let mut call = Self::new(series, timeout, trace);
        if !methods.learns(service, method) {
            series.started();
            return (call, Tally::to(series));
        }
        let waiting = Arc::new(Waiting::default());
        if let Some(state) = &mut call.0 {
            state.progress.unsettled = Some(Box::new(Unsettled {
                methods: Arc::clone(methods),
                service: service.into(),
                method: method.into(),
                waiting: Arc::clone(&waiting),
            }));
        }
        (call, Some(Tally::Later(waiting)))
    }

    /// Records a call that a channel did not even take: which one it would have been is not known.
    #[cold]
    pub(super) fn refused(methods: &Methods, error: &mut dyn Any) {
        let series = methods.unknown();
        series.started();
        Self::new(series, None, Trace::default()).failed(error);
    }

    /// A call that is active from now on.
    #[inline]
    pub(super) fn new(series: &Arc<Series>, timeout: Option<Duration>, trace: Trace) -> Self {
        if let Some(active) = &series.handles.active {
            active.inc();
        }
        let timed = series.timed || timeout.is_some();
        let progress = Progress {
            start: timed.then(|| series.recorder.clock.mark()),
            timeout,
            trace,
            codeless: Code::Unknown,
            inside: false,
            frames: FrameCounter::default(),
            unsettled: None,
        };
        Self(Some(match Spare::take(&SPARE) {
            Some(mut state) => {
                state.progress = progress;
                if !Arc::ptr_eq(&state.series, series) {
                    state.series = Arc::clone(series);
                }
                state
            }
            None => Box::new(State {
                series: Arc::clone(series),
                progress,
            }),
        }))
    }

    /// The trace that it belongs to.
    pub(super) fn traced(&mut self, trace: Trace) {
        if let Some(state) = &mut self.0 {
            state.progress.trace = trace;
        }
    }

    /// What it records with, unless it is over.
    pub(super) fn series(&self) -> Option<&Series> {
        self.0.as_ref().map(|state| &*state.series)
    }

    /// Whether code of the application begins to run or has ended.
    #[inline]
    pub(super) fn inside(&mut self, inside: bool) {
        if let Some(state) = &mut self.0 {
            state.progress.inside = inside;
        }
    }

    /// The response has begun. The call is over if there is no more of it to wait for.
    #[inline]
    pub(super) fn begun(&mut self, head: &Parts, body: &impl Body) {
        let Some(state) = &mut self.0 else { return };
        state.progress.trace.begun(&head.extensions);
        let code = status::of_headers(&head.headers);
        if state.progress.unsettled.is_some() {
            // A handler has answered: what refuses calls before they reach one (a router, an
            // interceptor) does so with a code in the headers.
            let [kind] = headers::first(&head.headers, [&CONTENT_TYPE]);
            let served = code.is_none()
                && head.status == StatusCode::OK
                && Content::of(kind) == Content::Grpc;
            state.settle(served);
        }
        if let Some(code) = code {
            self.end(code);
            return;
        }
        state.progress.codeless = status::of_http(head.status);
        state.progress.inside = true;
        let no_body = body.is_end_stream();
        state.progress.inside = false;
        if no_body {
            self.codeless();
        }
    }

    /// A frame of the response has been handed over; `over` says whether the body says that it
    /// was the last.
    #[inline]
    pub(super) fn passed(&mut self, frame: &Frame<Bytes>, over: impl FnOnce() -> bool) {
        let Some(state) = &mut self.0 else { return };
        if let Some(trailers) = frame.trailers_ref() {
            let code = status::of_headers(trailers).unwrap_or(state.progress.codeless);
            self.end(code);
            return;
        }
        if let Some(data) = frame.data_ref() {
            state.answered(data);
        }
        // A reader may ask this, and then never for the frame after the last.
        if over() {
            self.codeless();
        }
    }

    /// The response has ended without a code.
    pub(super) fn codeless(&mut self) {
        if let Some(state) = &self.0 {
            let code = state.progress.codeless;
            self.end(code);
        }
    }

    /// The service has failed.
    pub(super) fn failed(&mut self, error: &mut dyn Any) {
        self.end_by(status::of_error(error));
    }

    /// The body of the response has failed. What a server has to say comes in the trailers, so that
    /// `Unknown` is what tonic calls a connection that was lost.
    pub(super) fn broken(&mut self, error: &mut dyn Any) {
        let code = status::of_error(error);
        self.end_by(code.filter(|code| *code != Code::Unknown));
    }

    /// Ends by an error, of this code if it is known.
    fn end_by(&mut self, code: Option<Code>) {
        let Some(state) = &self.0 else { return };
        self.end(code.unwrap_or(match state.series.recorder.side {
            Side::Server => Code::Unknown,
            // No answer came, or no end of it.
            Side::Client => Code::Unavailable,
        }));
    }

    /// Records the call, unless it has been.
    #[inline]
    pub(super) fn end(&mut self, code: Code) {
        if let Some(mut state) = self.0.take() {
            state.close(code);
            Spare::keep(&SPARE, state);
        }
    }

    /// The time so far; zero where nobody wants to know, or it is over.
    pub(super) fn took(&self) -> Duration {
        let took = self.0.as_ref().and_then(|state| state.took());
        took.unwrap_or_default()
    }
}

impl Drop for Call {
    #[inline]
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            let code = state.dropped();
            self.end(code);
        }
    }
}

impl State {
    #[inline]
    fn answered(&mut self, data: &[u8]) {
        let messages = self.progress.frames.feed(data);
        if messages > 0
            && let Some(responses) = &self.series.handles.responses
        {
            responses.add(messages);
        }
    }

    #[inline]
    fn took(&self) -> Option<Duration> {
        let start = self.progress.start?;
        Some(self.series.recorder.clock.since(start))
    }

    /// The code of a call that nobody waits for any more.
    #[cold]
    fn dropped(&self) -> Code {
        let took = self.took().unwrap_or_default();
        let late = |timeout| timeout::has_passed(timeout, took);
        if self.progress.inside {
            Code::Unknown
        } else if self.progress.timeout.is_some_and(late) {
            Code::DeadlineExceeded
        } else {
            Code::Cancelled
        }
    }

    #[inline]
    fn close(&mut self, code: Code) {
        if self.progress.unsettled.is_some() {
            self.settle(false);
        }
        if let Some(traffic) = &self.series.recorder.traffic {
            traffic.count(!status::is_fault(code));
        }
        let ended = self.series.ended(code);
        if let Some(handled) = &ended.handled {
            handled.inc();
        }
        if let Some(duration) = &ended.duration
            && let Some(took) = self.took()
        {
            let took = took.as_secs_f64();
            duration.observe(took);
            self.progress.trace.exemplify(duration, took);
        }
        if let Some(active) = &self.series.handles.active {
            active.dec();
        }
    }

    /// It is known now whether the method is served. If it is, the call moves to its series.
    #[cold]
    fn settle(&mut self, served: bool) {
        let Some(unsettled) = self.progress.unsettled.take() else {
            return;
        };
        let Unsettled {
            methods,
            service,
            method,
            waiting,
        } = &*unsettled;
        if let Some(series) = served.then(|| methods.learn(service, method)).flatten() {
            if let (Some(to), Some(from)) = (&series.handles.active, &self.series.handles.active) {
                to.inc();
                from.dec();
            }
            self.series = Arc::clone(series);
        }
        self.series.started();
        waiting.settle(self.series.handles.requests.clone());
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.series() {
            Some(series) => f.debug_tuple("Call").field(&series.name).finish(),
            None => f.write_str("Call(over)"),
        }
    }
}
