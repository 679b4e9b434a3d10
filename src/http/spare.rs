//! States of requests that are over, kept for the next ones, so that a request allocates none.
//!
//! Each thread keeps its own. A request that begins on one thread and ends on another takes
//! from the one and gives to the other, which evens out over many requests.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use super::guard::State;
use super::series::Series;
use crate::trace::Trace;

/// The most states that a thread keeps, about ten kilobytes. Each holds on to the series it
/// was last used for, which spares the count of references where the next is of the same.
const MAX: usize = 64;

thread_local! {
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    static SPARE: RefCell<Vec<Box<State>>> = const { RefCell::new(Vec::new()) };
}

/// A state for a request that begins.
#[expect(clippy::unnecessary_box_returns, reason = "the box is what is taken")]
#[inline]
pub(super) fn take(
    series: &Arc<Series>,
    timed: Option<(Instant, u32)>,
    trace: Trace,
) -> Box<State> {
    // A thread that ends has no spare states any more.
    let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop());
    match spare.ok().flatten() {
        Some(mut state) => {
            state.reuse(series, timed, trace);
            state
        }
        None => Box::new(State::new(series, timed, trace)),
    }
}

/// Keeps the state of a request that is over, if there is room.
#[inline]
pub(super) fn keep(state: Box<State>) {
    let mut state = Some(state);
    // What is not kept is dropped here, outside of the borrow: that may end a whole layer.
    let _ = SPARE.try_with(|spare| {
        if let Ok(mut spare) = spare.try_borrow_mut()
            && spare.len() < MAX
        {
            spare.extend(state.take());
        }
    });
}
