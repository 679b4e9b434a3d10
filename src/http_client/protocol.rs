use std::sync::Arc;
use std::thread::LocalKey;

use bytes::Buf;
use http::response::Parts;
use http_body::{Body, Frame};

use super::error::{self, OwnKinds};
use super::names::{Name, Naming};
use super::outcome::{BodyEnd, Outcome, Received};
use super::shared::Shared;
use crate::exchange::{self, BoxError, Ended, Fails, Open, Protocol, Reads, Spare};
use crate::util::Clock;

/// The protocol of outgoing HTTP requests.
#[derive(Debug)]
pub enum HttpClient {}

pub(super) type Guard = exchange::Guard<HttpClient>;
pub(super) type State = exchange::State<HttpClient>;
pub(super) type Series = exchange::Series<HttpClient>;

thread_local! {
    static SPARE: Spare<State> = const { Spare::new() };
}

/// State shared by the series of a layer.
pub(crate) struct Recorder {
    pub(super) names: Vec<Arc<dyn Naming>>,
    pub(super) own_kinds: Option<Arc<OwnKinds>>,
    pub(super) clock: Clock,
}

/// State of a request in flight.
#[derive(Default)]
pub(crate) struct Progress {
    /// The head of the response, once received.
    received: Option<Received>,
    read: u64,
}

impl Protocol for HttpClient {
    type Shared = Shared;
    type Recorder = Recorder;
    type Name = Name;
    type Outcome = Outcome;
    type Begin = ();
    type Progress = Progress;
    type End = Outcome;

    #[inline]
    fn spare() -> &'static LocalKey<Spare<State>> {
        &SPARE
    }

    #[inline]
    fn clock(recorder: &Recorder) -> &Clock {
        &recorder.clock
    }

    #[inline]
    fn renew(progress: &mut Progress, (): ()) {
        *progress = Progress::default();
    }

    fn open(recorder: &Recorder, name: &Name, open: &mut Open) {
        for names in &recorder.names {
            names.open(name, open);
        }
    }

    fn ended(recorder: &Recorder, name: &Name, outcome: Outcome, ended: &mut Ended) {
        for names in &recorder.names {
            names.end(name, outcome, ended);
        }
    }

    /// The caller has read enough of the body, or no longer waits for the response.
    fn dropped(state: &State) -> Outcome {
        let received = state.progress.received;
        received.map_or(Outcome::Cancelled, |head| {
            Outcome::Received(head, BodyEnd::Read)
        })
    }

    fn panicked(state: &State) -> Outcome {
        let received = state.progress.received;
        received.map_or(Outcome::Panicked, |head| {
            Outcome::Received(head, BodyEnd::Panicked)
        })
    }

    fn close(state: &mut State, outcome: Outcome) {
        let took = state.elapsed();
        let ended = state.ended(outcome);
        ended.count(took.map(|took| took.as_secs_f64()), 1, state.trace);
        if state.progress.received.is_some() {
            for histogram in &ended.response_sizes {
                histogram.observe(state.progress.read as f64);
            }
        }
        for also in &ended.also {
            also(took.unwrap_or_default());
        }
    }
}

impl<B: Body> Reads<B> for HttpClient {
    fn begun(guard: &mut Guard, head: &Parts, body: &B) {
        let Some(state) = guard.state_mut() else {
            return;
        };
        state.progress.received = Some(Received {
            status: head.status.as_u16(),
            version: head.version,
        });
        state.trace.begun(&head.extensions);
        let open = state.open();
        if !open.first_byte.is_empty() {
            let took = state.elapsed().unwrap_or_default().as_secs_f64();
            for histogram in &open.first_byte {
                histogram.observe(took);
            }
        }
        if body.is_end_stream() {
            end_of_body(guard, BodyEnd::Read);
        }
    }

    fn passed(guard: &mut Guard, frame: &Frame<B::Data>, over: impl FnOnce() -> bool) {
        let Some(state) = guard.state_mut() else {
            return;
        };
        let bytes = frame.data_ref().map_or(0, Buf::remaining);
        state.progress.read = state.progress.read.saturating_add(bytes as u64);
        if over() {
            end_of_body(guard, BodyEnd::Read);
        }
    }

    fn over(guard: &mut Guard) {
        end_of_body(guard, BodyEnd::Read);
    }

    fn broken(guard: &mut Guard, _: &mut B::Error) {
        end_of_body(guard, BodyEnd::Failed);
    }
}

fn end_of_body(guard: &mut Guard, end: BodyEnd) {
    if let Some(head) = guard.state().and_then(|state| state.progress.received) {
        guard.end(Outcome::Received(head, end));
    }
}

impl Fails<BoxError> for HttpClient {
    fn failed(guard: &mut Guard, error: &mut BoxError) {
        failed(guard, &**error, error::ERROR);
    }
}

/// Ends the request by an error without a response; `or_else` is the kind of an unknown error.
pub(super) fn failed(
    guard: &mut Guard,
    error: &(dyn std::error::Error + 'static),
    or_else: &'static str,
) {
    let inside = guard.inside();
    let own_kinds = inside
        .state()
        .and_then(|state| state.series.recorder.own_kinds.clone());
    let kind = error::kind(error, own_kinds.as_deref());
    inside.left();
    guard.end(Outcome::Failed(kind.unwrap_or(or_else)));
}
