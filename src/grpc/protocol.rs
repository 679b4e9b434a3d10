use std::any::Any;
use std::sync::Arc;
use std::thread::LocalKey;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::response::Parts;
use http_body::{Body, Frame};
use tonic::Code;

use super::frames::FrameCounter;
use super::methods::Methods;
use super::metrics::Side;
use super::names::{Name, Naming};
use super::status::{self, Content};
use super::tally::Waiting;
use super::{headers, timeout};
use crate::exchange::{self, Ended, Fails, Open, Protocol, Reads, Spare};
use crate::health::TrafficCounter;
use crate::trace::Source;
use crate::util::Clock;

/// The gRPC protocol, on both sides.
#[derive(Debug)]
pub enum Grpc {}

/// A call in flight.
pub(super) type Call = exchange::Guard<Grpc>;
pub(super) type State = exchange::State<Grpc>;

/// The series of one method.
pub(super) type Series = exchange::Series<Grpc>;

thread_local! {
    static SPARE: Spare<State> = const { Spare::new() };
}

/// State shared by the methods of a layer.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(super) naming: Arc<dyn Naming>,
    pub(super) clock: Clock,
    pub(super) trace: Source,
    pub(super) side: Side,
    /// The server's own timeout.
    pub(super) timeout: Option<Duration>,
    /// The traffic counter, on a server.
    pub(super) traffic: Option<Arc<TrafficCounter>>,
}

/// State of a call in flight.
pub(crate) struct Progress {
    /// The timeout of the call.
    timeout: Option<Duration>,
    /// The code if the response ends without one.
    codeless: Code,
    /// The messages of the response.
    frames: FrameCounter,
    /// Present until it is known whether the method is served.
    unsettled: Option<Box<Unsettled>>,
}

pub(crate) struct Unsettled {
    pub(super) methods: Arc<Methods>,
    pub(super) service: Box<str>,
    pub(super) method: Box<str>,
    pub(super) waiting: Arc<Waiting>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            timeout: None,
            codeless: Code::Unknown,
            frames: FrameCounter::default(),
            unsettled: None,
        }
    }
}

impl Protocol for Grpc {
    type Shared = Methods;
    type Recorder = Recorder;
    type Name = Name;
    type Outcome = Code;
    type Begin = (Option<Duration>, Option<Box<Unsettled>>);
    type Progress = Progress;
    type End = Code;

    #[inline]
    fn spare() -> &'static LocalKey<Spare<State>> {
        &SPARE
    }

    #[inline]
    fn clock(recorder: &Recorder) -> &Clock {
        &recorder.clock
    }

    fn open(recorder: &Recorder, name: &Name, open: &mut Open) {
        recorder.naming.open(name, open);
    }

    fn ended(recorder: &Recorder, name: &Name, code: Code, ended: &mut Ended) {
        recorder.naming.end(name, code, ended);
    }

    #[inline]
    fn renew(progress: &mut Progress, (timeout, unsettled): Self::Begin) {
        progress.timeout = timeout;
        progress.codeless = Code::Unknown;
        progress.frames = FrameCounter::default();
        progress.unsettled = unsettled;
    }

    #[cold]
    fn dropped(state: &State) -> Code {
        let took = state.elapsed().unwrap_or_default();
        let late = |timeout| timeout::has_passed(timeout, took);
        if state.progress.timeout.is_some_and(late) {
            Code::DeadlineExceeded
        } else {
            Code::Cancelled
        }
    }

    fn panicked(_: &State) -> Code {
        Code::Unknown
    }

    #[inline]
    fn close(state: &mut State, code: Code) {
        if state.progress.unsettled.is_some() {
            settle(state, false);
        }
        if let Some(traffic) = &state.series.recorder.traffic {
            traffic.count(!status::is_fault(code));
        }
        let ended = state.ended(code);
        let took = if ended.durations.is_empty() {
            None
        } else {
            state.elapsed().map(|took| took.as_secs_f64())
        };
        ended.count(took, 1, state.trace);
    }
}

impl<B> Reads<B> for Grpc
where
    B: Body<Data = Bytes>,
    B::Error: 'static,
{
    #[inline]
    fn begun(call: &mut Call, head: &Parts, body: &B) {
        let Some(state) = call.state_mut() else {
            return;
        };
        state.trace.begun(&head.extensions);
        let code = status::of_headers(&head.headers);
        if state.progress.unsettled.is_some() {
            // A handler has answered: routers and interceptors reject calls with a code in the
            // headers.
            let [kind] = headers::first(&head.headers, [&CONTENT_TYPE]);
            let served = code.is_none()
                && head.status == StatusCode::OK
                && Content::of(kind) == Content::Grpc;
            settle(state, served);
        }
        if let Some(code) = code {
            call.end(code);
            return;
        }
        state.progress.codeless = status::of_http(head.status);
        let inside = call.inside();
        let no_body = body.is_end_stream();
        inside.left();
        if no_body {
            codeless(call);
        }
    }

    #[inline]
    fn passed(call: &mut Call, frame: &Frame<Bytes>, over: impl FnOnce() -> bool) {
        let Some(state) = call.state_mut() else {
            return;
        };
        if let Some(trailers) = frame.trailers_ref() {
            let code = status::of_headers(trailers).unwrap_or(state.progress.codeless);
            call.end(code);
            return;
        }
        if let Some(data) = frame.data_ref() {
            let messages = state.progress.frames.feed(data);
            if messages > 0 {
                for responses in &state.open().responses {
                    responses.add(messages);
                }
            }
        }
        // A reader may check this and then never poll for the end.
        if over() {
            codeless(call);
        }
    }

    fn over(call: &mut Call) {
        codeless(call);
    }

    /// A server reports its status in the trailers, so `Unknown` here is tonic's code for a lost
    /// connection.
    fn broken(call: &mut Call, error: &mut B::Error) {
        let code = status::of_error(error);
        end_by(call, code.filter(|code| *code != Code::Unknown));
    }
}

impl<E: 'static> Fails<E> for Grpc {
    fn failed(call: &mut Call, error: &mut E) {
        failed(call, error);
    }
}

pub(super) fn failed(call: &mut Call, error: &mut dyn Any) {
    end_by(call, status::of_error(error));
}

/// Ends a call whose response has no code.
fn codeless(call: &mut Call) {
    if let Some(state) = call.state() {
        call.end(state.progress.codeless);
    }
}

/// Ends a call by an error, with this code if it is known.
fn end_by(call: &mut Call, code: Option<Code>) {
    let Some(state) = call.state() else { return };
    let or_else = match state.series.recorder.side {
        Side::Server => Code::Unknown,
        // There was no complete answer.
        Side::Client => Code::Unavailable,
    };
    call.end(code.unwrap_or(or_else));
}

/// Records whether the method is served. If so, the call moves to its series.
#[cold]
fn settle(state: &mut State, served: bool) {
    let Some(unsettled) = state.progress.unsettled.take() else {
        return;
    };
    let Unsettled {
        methods,
        service,
        method,
        waiting,
    } = &*unsettled;
    if let Some(series) = served.then(|| methods.learn(service, method)).flatten() {
        state.move_to(series);
    }
    started(&state.open());
    waiting.settle(&state.series);
}

/// Counts a started call, if the profile counts these.
#[inline]
pub(super) fn started(open: &Open) {
    for started in &open.started {
        started.inc();
    }
}
