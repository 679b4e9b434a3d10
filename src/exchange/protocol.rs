//! The trait that a protocol implements for its exchanges.

use std::fmt;
use std::thread::LocalKey;

use http::response::Parts;
use http_body::{Body, Frame};

use super::body::ResponseBody;
use super::guard::{Guard, State};
use super::handles::{Ended, Open};
use super::spare::Spare;
use crate::util::Clock;

/// A protocol: the names and outcomes of its exchanges.
pub(crate) trait Protocol: Sized + 'static {
    /// State shared by all clones of a service.
    type Shared: fmt::Debug + Send + Sync;
    /// State shared by all series of a layer.
    type Recorder: Send + Sync;
    /// The labels of an exchange that are known when it begins.
    type Name: fmt::Debug + Send + Sync;
    /// How an exchange ended, as its labels show it.
    type Outcome: Copy + PartialEq + fmt::Debug + Send + Sync;
    /// The input of a new exchange, besides its series, start and trace.
    type Begin;
    /// Further state of an exchange in flight.
    type Progress: Default + Send;
    /// The event that ends an exchange.
    type End;

    /// The thread's unused states.
    fn spare() -> &'static LocalKey<Spare<State<Self>>>;

    /// The clock for durations.
    fn clock(recorder: &Self::Recorder) -> &Clock;

    /// Adds the handles used before an exchange ends. Called once per series.
    fn open(recorder: &Self::Recorder, name: &Self::Name, open: &mut Open);

    /// Adds the handles for an outcome. Called once per series and outcome.
    fn ended(recorder: &Self::Recorder, name: &Self::Name, outcome: Self::Outcome, to: &mut Ended);

    /// Resets the state of an old exchange for a new one; field by field, since freshly written
    /// memory is slow to move.
    fn renew(progress: &mut Self::Progress, begin: Self::Begin);

    /// Releases what a finished exchange must not hold until the next one begins.
    #[inline]
    fn release(_: &mut Self::Progress) {}

    /// Called before the service is polled.
    #[inline]
    fn polled() {}

    /// Called when the service was polled and is pending.
    #[inline]
    fn pending(_: &mut Guard<Self>) {}

    /// The end of an exchange whose future or body is dropped.
    fn dropped(state: &State<Self>) -> Self::End;

    /// The end of an exchange whose service or body has panicked.
    fn panicked(state: &State<Self>) -> Self::End;

    /// Records the end.
    fn close(state: &mut State<Self>, end: Self::End);
}

/// A protocol that can record responses with this body.
pub(crate) trait Reads<B: Body>: Protocol {
    /// Called with the head of the response. Ends the exchange if there is no body to wait for.
    fn begun(guard: &mut Guard<Self>, head: &Parts, body: &B);

    /// Called when the body is pending.
    #[inline]
    fn waits(_: &mut Guard<Self>) {}

    /// Called after a frame; `over` returns whether it was the last one.
    fn passed(guard: &mut Guard<Self>, frame: &Frame<B::Data>, over: impl FnOnce() -> bool);

    /// Called at the end of the body.
    fn over(guard: &mut Guard<Self>);

    /// Called when the body has failed. The error is left unchanged.
    fn broken(guard: &mut Guard<Self>, error: &mut B::Error);
}

/// A protocol that can record services with this error.
pub(crate) trait Fails<E>: Protocol {
    /// Called when the service has failed. The error is left unchanged.
    fn failed(guard: &mut Guard<Self>, error: &mut E);
}

/// Counts the frames of a request body.
pub(crate) trait Counts<B: Body> {
    /// Called after a frame.
    fn passed(&mut self, frame: &Frame<B::Data>);

    /// Called when the body has failed.
    #[inline]
    fn broken(&mut self, _: &B::Error) {}
}

/// Wraps the body of a response.
pub trait Wrap<B, P: Protocol> {
    /// The wrapped body.
    type Body;

    /// Wraps the body with its guard.
    fn wrap(body: B, guard: Guard<P>) -> Self::Body;
}

/// The mode of a layer for any tower service: bodies of any type are wrapped, not boxed.
#[derive(Clone, Copy, Debug)]
pub enum Generic {}

impl<B, P: Protocol> Wrap<B, P> for Generic {
    type Body = ResponseBody<B, P>;

    #[inline]
    fn wrap(body: B, guard: Guard<P>) -> ResponseBody<B, P> {
        ResponseBody::new(body, guard)
    }
}
