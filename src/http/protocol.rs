use std::thread::LocalKey;

use bytes::Buf;
use http::response::Parts;
use http_body::{Body, Frame};

use super::answer::sent;
use super::labels::Chosen;
use super::layer::Endpoint;
use super::outcome::{End, Outcome};
use super::series::{Recorder, Route};
use super::state::{BROKEN_OFF, CLIENT_GONE, Progress, Stage, UNKNOWN};
use crate::exchange::{self, Ended, Fails, Open, Protocol, Reads, Spare};
use crate::util::{Clock, Unrecorded};

/// The HTTP server protocol.
#[derive(Debug)]
pub enum Http {}

/// A request in flight.
pub(super) type Guard = exchange::Guard<Http>;
pub(super) type State = exchange::State<Http>;

/// The series of one route and method.
pub(super) type Series = exchange::Series<Http>;

thread_local! {
    static SPARE: Spare<State> = const { Spare::new() };
}

impl Protocol for Http {
    type Shared = Endpoint;
    type Recorder = Recorder;
    type Name = Route;
    /// The outcome, and the values of the response labels.
    type Outcome = (Outcome, Chosen);
    /// The weight of the request in the histograms.
    type Begin = u32;
    type Progress = Progress;
    type End = End;

    #[inline]
    fn spare() -> &'static LocalKey<Spare<State>> {
        &SPARE
    }

    #[inline]
    fn clock(recorder: &Recorder) -> &Clock {
        &recorder.clock
    }

    fn open(recorder: &Recorder, route: &Route, open: &mut Open) {
        for names in &recorder.names {
            names.open(&route.name, open);
        }
        if let Some(load) = &recorder.load {
            open.in_flight.push(load.gauge());
        }
    }

    fn ended(
        recorder: &Recorder,
        route: &Route,
        (outcome, labels): (Outcome, Chosen),
        ended: &mut Ended,
    ) {
        let values = recorder.response_labels.values(labels);
        for names in &recorder.names {
            names.end(&route.name, outcome, &values, ended);
        }
    }

    #[inline]
    fn renew(progress: &mut Progress, stands_for: u32) {
        progress.renew(stands_for);
    }

    #[inline]
    fn release(progress: &mut Progress) {
        progress.upgrade = None;
    }

    #[inline]
    fn polled() {
        Unrecorded::listen();
    }

    /// Checks whether the request has announced that it is not recorded.
    #[inline]
    fn pending(guard: &mut Guard) {
        if Unrecorded::was_announced() {
            guard.forget();
        } else if let Some(state) = guard.state_mut() {
            state.enter();
        }
    }

    #[inline]
    fn dropped(state: &State) -> End {
        if state.progress.is_all_sent() {
            // A server that knows the length need not poll for the end after the last byte.
            End::Complete
        } else {
            End::Dropped
        }
    }

    fn panicked(_: &State) -> End {
        End::Panicked
    }

    #[inline]
    fn close(state: &mut State, end: End) {
        state.close(end);
    }
}

impl<B: Body> Reads<B> for Http {
    #[inline]
    fn begun(guard: &mut Guard, head: &Parts, body: &B) {
        let Some(state) = guard.state_mut() else {
            return;
        };
        state.progress.status = sent(head.status);
        state.progress.stage = Stage::Headers;
        let inside = guard.inside();
        let labels = inside.state().map(|state| {
            let recorder = &state.series.recorder;
            recorder.response_labels.choose(&head.extensions)
        });
        let over = || body.is_end_stream().then_some(0);
        let size = body.size_hint().exact().or_else(over);
        inside.left();
        let Some(state) = guard.state_mut() else {
            return;
        };
        state.progress.labels = labels.unwrap_or_default();
        state.trace.begun(&head.extensions);
        // Neither is common, and one branch is cheaper than two.
        if (head.status.is_server_error() || !head.extensions.is_empty()) && is_settled(guard, head)
        {
            return;
        }
        let Some(state) = guard.state_mut() else {
            return;
        };
        if size == Some(0) || state.bodiless(head.status) {
            if let Some(upgrade) = state.progress.upgrade.take()
                && state.upgraded(head.status)
            {
                upgrade.granted();
            }
            guard.end(End::Complete);
            return;
        }
        state.enter();
        match size {
            Some(size) => state.progress.promised = size,
            None => state.of_unknown_size(&head.headers),
        }
    }

    #[inline]
    fn waits(guard: &mut Guard) {
        if let Some(state) = guard.state_mut() {
            state.first_byte();
        }
    }

    #[inline]
    fn passed(guard: &mut Guard, frame: &Frame<B::Data>, over: impl FnOnce() -> bool) {
        let Some(state) = guard.state_mut() else {
            return;
        };
        let bytes = frame.data_ref().map_or(0, Buf::remaining);
        state.progress.sent = state.progress.sent.saturating_add(bytes as u64);
        // Servers ask whether the body has ended, and then never poll for the end.
        if state.progress.is_all_sent() || over() {
            end_of_body(guard);
        } else {
            state.first_byte();
        }
    }

    #[inline]
    fn over(guard: &mut Guard) {
        end_of_body(guard);
    }

    #[cold]
    fn broken(guard: &mut Guard, _: &mut B::Error) {
        failed(guard);
    }
}

impl<E> Fails<E> for Http {
    #[cold]
    fn failed(guard: &mut Guard, _: &mut E) {
        failed(guard);
    }
}

/// The service or the body has failed; not by itself if it was reading a request body that failed.
fn failed(guard: &mut Guard) {
    let broken_off = |state: &State| state.progress.upload(BROKEN_OFF);
    guard.end(if guard.state().is_some_and(broken_off) {
        End::Dropped
    } else {
        End::Failed
    });
}

/// The body has ended.
#[inline]
fn end_of_body(guard: &mut Guard) {
    let Some(state) = guard.state() else { return };
    let Progress { sent, promised, .. } = state.progress;
    // If the body is shorter than the headers promise, the server aborts the response.
    let short = sent < promised && promised != UNKNOWN;
    guard.end(if short { End::Failed } else { End::Complete });
}

/// Ends the request at its headers if the response body does not matter: the request is not
/// recorded, or the client is gone, which is why the server has failed (axum's `Multipart` makes a
/// 500 of it, a proxy a 502) through no fault of its own.
#[cold]
fn is_settled(guard: &mut Guard, head: &Parts) -> bool {
    let Some(state) = guard.state() else {
        return true;
    };
    if head.extensions.get::<Unrecorded>().is_some() {
        guard.forget();
        true
    } else if head.status.is_server_error() && state.progress.upload(CLIENT_GONE) {
        guard.end(End::Dropped);
        true
    } else {
        false
    }
}
