//! What a protocol says of its exchanges.

use std::fmt;
use std::thread::LocalKey;

use http::response::Parts;
use http_body::{Body, Frame};

use super::body::ResponseBody;
use super::guard::{Guard, State};
use super::handles::{Ended, Open};
use super::spare::Spare;
use crate::util::Clock;

/// A protocol: under which names its exchanges are recorded, and how they end.
pub(crate) trait Protocol: Sized + 'static {
    /// What all clones of a service share.
    type Shared: fmt::Debug + Send + Sync;
    /// What all series of a layer record with.
    type Recorder: Send + Sync;
    /// What the exchanges of a series have in common when they begin.
    type Name: fmt::Debug + Send + Sync;
    /// A way to end, as far as the labels show it.
    type Outcome: Copy + PartialEq + fmt::Debug + Send + Sync;
    /// What an exchange begins with, beside its series, start and trace.
    type Begin;
    /// What else is known of it on its way.
    type Progress: Default + Send;
    /// How an exchange ends.
    type End;

    /// The states that a thread is done with.
    fn spare() -> &'static LocalKey<Spare<State<Self>>>;

    /// The clock that durations are taken from.
    fn clock(recorder: &Self::Recorder) -> &Clock;

    /// The handles that an exchange uses before it ends. Called once for each series.
    fn open(recorder: &Self::Recorder, name: &Self::Name, open: &mut Open);

    /// The handles for one way to end. Called once for each.
    fn ended(recorder: &Self::Recorder, name: &Self::Name, outcome: Self::Outcome, to: &mut Ended);

    /// Puts what a new exchange begins with in the place of what an old one has left; field by
    /// field, for what was just written is slow to move.
    fn renew(progress: &mut Self::Progress, begin: Self::Begin);

    /// Lets go of what an exchange that is over may not hold until the next one begins.
    #[inline]
    fn release(_: &mut Self::Progress) {}

    /// The service is about to be polled.
    #[inline]
    fn polled() {}

    /// The service was polled and has no response yet.
    #[inline]
    fn pending(_: &mut Guard<Self>) {}

    /// How an exchange ends whose future or body is dropped.
    fn dropped(state: &State<Self>) -> Self::End;

    /// How an exchange ends whose service or body has panicked.
    fn panicked(state: &State<Self>) -> Self::End;

    /// Records the end.
    fn close(state: &mut State<Self>, end: Self::End);
}

/// A protocol whose responses can have this body.
pub(crate) trait Reads<B: Body>: Protocol {
    /// The response has begun. If there is no body to wait for, this ends the exchange.
    fn begun(guard: &mut Guard<Self>, head: &Parts, body: &B);

    /// The body has nothing to hand over yet.
    #[inline]
    fn waits(_: &mut Guard<Self>) {}

    /// A frame was handed over; `over` says whether the body says that it was the last.
    fn passed(guard: &mut Guard<Self>, frame: &Frame<B::Data>, over: impl FnOnce() -> bool);

    /// The body has nothing more to hand over.
    fn over(guard: &mut Guard<Self>);

    /// The body has failed. The error is as it was afterwards.
    fn broken(guard: &mut Guard<Self>, error: &mut B::Error);
}

/// A protocol whose services can have this error.
pub(crate) trait Fails<E>: Protocol {
    /// There is no response, but this error, which is as it was afterwards.
    fn failed(guard: &mut Guard<Self>, error: &mut E);
}

/// Counts what passes in the body of a request.
pub(crate) trait Counts<B: Body> {
    /// A frame was read.
    fn passed(&mut self, frame: &Frame<B::Data>);

    /// The body has failed.
    #[inline]
    fn broken(&mut self, _: &B::Error) {}
}

/// What becomes of the body of a response.
pub trait Wrap<B, P: Protocol> {
    /// The body that the caller gets.
    type Body;

    /// Gives the body its guard.
    fn wrap(body: B, guard: Guard<P>) -> Self::Body;
}

/// The mode of a layer for any tower service: bodies of any type, wrapped and not boxed.
#[derive(Clone, Copy, Debug)]
pub enum Generic {}

impl<B, P: Protocol> Wrap<B, P> for Generic {
    type Body = ResponseBody<B, P>;

    #[inline]
    fn wrap(body: B, guard: Guard<P>) -> ResponseBody<B, P> {
        ResponseBody::new(body, guard)
    }
}
