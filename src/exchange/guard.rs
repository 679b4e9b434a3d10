use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::handles::{Ended, Open};
use super::protocol::Protocol;
use super::renewing::Current;
use super::series::{Entered, Series};
use super::spare::Spare;
use crate::trace::Trace;
use crate::util::Mark;

/// The guard of an exchange in flight. It moves from the service call through the future into the
/// response body, and records the exchange exactly once: when its end is reported, or else when it
/// is dropped.
///
/// It is one pointer, since futures and responses move many times between the layers of a stack,
/// and moving freshly written fields makes the processor wait for the stores. The state behind it
/// is reused for the next exchange.
pub struct Guard<P: Protocol>(Option<Box<State<P>>>);

/// State of an exchange in flight.
pub(crate) struct State<P: Protocol> {
    /// Kept until the next exchange, which saves changing the reference count if that has the same
    /// series.
    pub(crate) series: Arc<Series<P>>,
    /// The start, if it is needed.
    pub(crate) start: Option<Mark>,
    pub(crate) trace: Trace,
    /// The handles of its in-flight gauges, while it is in flight.
    entered: Option<Entered>,
    pub(crate) progress: P::Progress,
}

impl<P: Protocol> Guard<P> {
    /// Begins an exchange; it is not in flight yet.
    #[inline]
    pub(crate) fn begin(
        series: &Arc<Series<P>>,
        start: Option<Mark>,
        trace: Trace,
        begin: P::Begin,
    ) -> Self {
        Self(Some(match Spare::take(P::spare()) {
            Some(mut state) => {
                if !Arc::ptr_eq(&state.series, series) {
                    state.series = Arc::clone(series);
                }
                state.start = start;
                state.trace = trace;
                P::renew(&mut state.progress, begin);
                state
            }
            None => Box::new(State::new(series, start, trace, begin)),
        }))
    }

    /// Whether the exchange is recorded and not over.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The state, unless the exchange is over.
    #[inline]
    pub(crate) fn state(&self) -> Option<&State<P>> {
        self.0.as_deref()
    }

    /// The state, unless the exchange is over.
    #[inline]
    pub(crate) fn state_mut(&mut self) -> Option<&mut State<P>> {
        self.0.as_deref_mut()
    }

    /// Marks the start of application code.
    #[inline]
    pub(crate) fn inside(&mut self) -> Inside<'_, P> {
        Inside(self)
    }

    /// Records the exchange, unless it is over.
    #[inline]
    pub(crate) fn end(&mut self, end: P::End) {
        if let Some(mut state) = self.0.take() {
            P::close(&mut state, end);
            state.leave();
            Spare::keep(P::spare(), state);
        }
    }

    /// Discards the exchange: it is no longer in flight and is not recorded.
    #[cold]
    pub(crate) fn forget(&mut self) {
        if let Some(mut state) = self.0.take() {
            state.leave();
            Spare::keep(P::spare(), state);
        }
    }
}

impl<P: Protocol> State<P> {
    #[cold]
    fn new(series: &Arc<Series<P>>, start: Option<Mark>, trace: Trace, begin: P::Begin) -> Self {
        let mut progress = P::Progress::default();
        P::renew(&mut progress, begin);
        Self {
            series: Arc::clone(series),
            start,
            trace,
            entered: None,
            progress,
        }
    }

    /// Marks the exchange as in flight.
    #[inline]
    pub(crate) fn enter(&mut self) {
        if self.entered.is_none() {
            self.entered = Some(self.series.enter());
        }
    }

    /// Marks the exchange as in flight, by the current handles of its series.
    #[inline]
    pub(crate) fn enter_by(&mut self, open: Current<'_, Open>) {
        if self.entered.is_none() {
            self.entered = Some(Entered::by(open));
        }
    }

    #[inline]
    fn leave(&mut self) {
        P::release(&mut self.progress);
        if let Some(entered) = self.entered.take() {
            self.series.leave(entered);
        }
    }

    /// Moves the exchange to the series of another name.
    #[cold]
    pub(crate) fn move_to(&mut self, series: &Arc<Series<P>>) {
        if let Some(entered) = self.entered.take() {
            self.entered = Some(series.enter());
            self.series.leave(entered);
        }
        self.series = Arc::clone(series);
    }

    /// The handles used before the exchange ends.
    #[inline]
    pub(crate) fn open(&self) -> Current<'_, Open> {
        self.series.open()
    }

    /// The handles for an outcome.
    #[inline]
    pub(crate) fn ended(&self, outcome: P::Outcome) -> Current<'_, Ended> {
        self.series.ended(outcome)
    }

    /// The time since the start, if that was taken.
    #[inline]
    pub(crate) fn elapsed(&self) -> Option<Duration> {
        let start = self.start?;
        Some(P::clock(&self.series.recorder).since(start))
    }
}

/// A scope of application code. If it is dropped without [`left`](Self::left), that code has
/// panicked and the stack unwinds.
pub(crate) struct Inside<'a, P: Protocol>(&'a mut Guard<P>);

impl<P: Protocol> Inside<'_, P> {
    /// Marks the return of the application code.
    #[inline]
    pub(crate) fn left(self) {
        std::mem::forget(self);
    }

    /// The state of the exchange, unless it is over.
    #[inline]
    pub(crate) fn state(&self) -> Option<&State<P>> {
        self.0.state()
    }
}

impl<P: Protocol> Drop for Inside<'_, P> {
    #[cold]
    fn drop(&mut self) {
        if let Some(end) = self.0.state().map(P::panicked) {
            self.0.end(end);
        }
    }
}

/// A guard that records nothing.
impl<P: Protocol> Default for Guard<P> {
    fn default() -> Self {
        Self(None)
    }
}

impl<P: Protocol> Drop for Guard<P> {
    #[inline]
    fn drop(&mut self) {
        if let Some(end) = self.state().map(P::dropped) {
            self.end(end);
        }
    }
}

impl<P: Protocol> fmt::Debug for Guard<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state() {
            Some(state) => f.debug_tuple("Guard").field(&state.series.name).finish(),
            None => f.write_str("Guard(over)"),
        }
    }
}
