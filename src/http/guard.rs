use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use http::Extensions;
use http::response::Parts;
use http_body::Body;

use super::answer::sent;
use super::labels::Chosen;
use super::outcome::End;
use super::series::Series;
use super::session::HttpSession;
use super::state::{BROKEN_OFF, CLIENT_GONE, Stage, State, UNKNOWN};
use crate::exchange::Spare;
use crate::trace::Trace;
use crate::util::{Mark, Unrecorded};

/// One request on its way. It travels from the call through the future into the response
/// body, and whatever becomes of those, it records the request exactly once: where it is told
/// of the end, or else where it is dropped.
///
/// It is one pointer: futures and responses are moved many times between the layers of a
/// stack, and a move of fields that were just written makes the processor wait for the stores.
/// The state behind it is used again for the next request.
#[derive(Default)]
pub(super) struct Guard(Option<Box<State>>);

thread_local! {
    static SPARE: Spare<State> = const { Spare::new() };
}

impl Guard {
    /// Begins a request; `timed` says when and for how many it stands, if it is in the sample.
    #[inline]
    pub(super) fn new(series: &Arc<Series>, timed: Option<(Mark, u32)>, trace: Trace) -> Self {
        let mut state = match Spare::take(&SPARE) {
            Some(mut state) => {
                state.reuse(series, timed, trace);
                state
            }
            None => Box::new(State::new(series, timed, trace)),
        };
        if let Some(open) = series.opened() {
            open.enter();
            state.in_flight = true;
        }
        Self(Some(state))
    }

    /// Whether anything is recorded.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Code of the application begins to run.
    #[inline]
    pub(super) fn inside(&mut self) -> Inside<'_> {
        Inside(self)
    }

    /// Gives the application what it is to hold on to if it grants the upgrade that the request
    /// asks for.
    #[cold]
    pub(super) fn offer_session(&mut self, extensions: &mut Extensions) {
        if let Some(state) = &mut self.0 {
            let session = HttpSession::new(&state.series, state.start, state.stands_for);
            state.upgrade = Some(session.clone());
            extensions.insert(session);
        }
    }

    /// Where the bytes of the request body are to be counted, if anything is.
    #[inline]
    pub(super) fn count_request(&mut self) -> Option<Arc<AtomicU64>> {
        self.0.as_mut().map(|state| state.count_request())
    }

    /// There is no response yet; `unrecorded` says whether the request has announced that it is
    /// none to record.
    #[inline]
    pub(super) fn pending(&mut self, unrecorded: bool) {
        let Some(state) = &mut self.0 else { return };
        if unrecorded {
            self.forget();
        } else if !state.in_flight {
            state.enter();
        }
    }

    /// Forgets the request.
    #[cold]
    fn forget(&mut self) {
        if let Some(mut state) = self.0.take() {
            state.leave();
            Spare::keep(&SPARE, state);
        }
    }

    /// The response has begun. Afterwards the guard [is on](Self::is_on) if there is a body to
    /// wait for; if not, the request is over.
    #[inline]
    pub(super) fn begun(&mut self, head: &Parts, body: &impl Body) {
        let Some(state) = &mut self.0 else { return };
        state.status = sent(head.status);
        state.stage = Stage::Headers;
        let inside = self.inside();
        let labels = inside.choose(&head.extensions);
        let over = || body.is_end_stream().then_some(0);
        let size = body.size_hint().exact().or_else(over);
        inside.left();
        let Some(state) = &mut self.0 else { return };
        state.labels = labels;
        state.trace.begun(&head.extensions);
        // Neither is common, and one branch is cheaper than two.
        if (head.status.is_server_error() || !head.extensions.is_empty()) && self.is_settled(head) {
            return;
        }
        let Some(state) = &mut self.0 else { return };
        if size == Some(0) || state.bodiless(head.status) {
            if let Some(upgrade) = state.upgrade.take()
                && state.upgraded(head.status)
            {
                upgrade.granted();
            }
            self.end(End::Complete);
            return;
        }
        if !state.in_flight {
            state.enter();
        }
        match size {
            Some(size) => state.promised = size,
            None => state.of_unknown_size(&head.headers),
        }
    }

    /// The body has nothing to hand over yet.
    #[inline]
    pub(super) fn waits(&mut self) {
        if let Some(state) = &mut self.0 {
            state.first_byte();
        }
    }

    /// Bytes of the body have been handed over; `over` says whether the body says that these
    /// were the last.
    #[inline]
    pub(super) fn passed(&mut self, bytes: usize, over: impl FnOnce() -> bool) {
        let Some(state) = &mut self.0 else { return };
        state.sent = state.sent.saturating_add(bytes as u64);
        // Servers ask for the end too, and then never for the frame after the last.
        if state.sent >= state.promised || over() {
            self.over();
        } else {
            state.first_byte();
        }
    }

    /// The body has nothing more to hand over.
    #[inline]
    pub(super) fn over(&mut self) {
        let Some(state) = &self.0 else { return };
        // Short of what the headers promise, the server cannot end the response, and breaks off.
        let short = state.sent < state.promised && state.promised != UNKNOWN;
        self.end(if short { End::Failed } else { End::Complete });
    }

    /// The service or the body has failed; not of itself where it was reading a request that did.
    #[cold]
    pub(super) fn failed(&mut self) {
        let broken_off = |state: &State| state.upload(BROKEN_OFF);
        self.end(if self.0.as_deref().is_some_and(broken_off) {
            End::Dropped
        } else {
            End::Failed
        });
    }

    /// Ends the request at its headers where the body of the response does not matter: it is not
    /// to be recorded, or there is no one to send it to: that is why the server has failed
    /// (axum's `Multipart` makes a 500 of it, a proxy a 502), which is no fault of its own.
    #[cold]
    fn is_settled(&mut self, head: &Parts) -> bool {
        let Some(state) = &mut self.0 else {
            return true;
        };
        if head.extensions.get::<Unrecorded>().is_some() {
            self.forget();
            true
        } else if head.status.is_server_error() && state.upload(CLIENT_GONE) {
            self.end(End::Dropped);
            true
        } else {
            false
        }
    }

    /// Records the request, unless it has been.
    #[inline]
    pub(super) fn end(&mut self, end: End) {
        if let Some(mut state) = self.0.take() {
            state.close(end);
            Spare::keep(&SPARE, state);
        }
    }
}

/// Code of the application runs on top of a guard. If this is dropped and not [left](Self::left),
/// that code has panicked, and this is the unwinding.
pub(super) struct Inside<'a>(&'a mut Guard);

impl Inside<'_> {
    /// The code has returned.
    #[inline]
    pub(super) fn left(self) {
        std::mem::forget(self);
    }

    /// The values of the response labels.
    #[inline]
    fn choose(&self, extensions: &Extensions) -> Chosen {
        let recorder = self.0.0.as_ref().map(|state| &state.series.recorder);
        recorder.map_or_else(Chosen::default, |recorder| {
            recorder.response_labels.choose(extensions)
        })
    }
}

impl Drop for Inside<'_> {
    #[cold]
    fn drop(&mut self) {
        self.0.end(End::Panicked);
    }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        let Some(state) = &self.0 else { return };
        let end = if state.sent >= state.promised {
            // A server that knows the length need not ask for the end after the last byte.
            End::Complete
        } else {
            End::Dropped
        };
        self.end(end);
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(state) => f
                .debug_struct("Guard")
                .field("status", &state.status)
                .field("sent", &state.sent)
                .finish_non_exhaustive(),
            None => f.write_str("Guard(over)"),
        }
    }
}
