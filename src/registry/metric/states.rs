use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Metric;
use super::sealed::{Sealed, Shape, Visit};
use crate::catalog::Kind;
use crate::registry::labels::{LabelValue, are_distinct};
use crate::registry::snapshot::{Number, Sample, Scratch, ValueRef};
use crate::registry::storage::Place;
use crate::util::escape;

/// The current state out of a closed set: exactly one, or several that are each on or off.
///
/// `E` is an enum that lists its states, as by [`label_values!`](crate::label_values). There may
/// be at most 64, with distinct texts; other types do not compile here. Each state is a sample with
/// the value 0 or 1, and a label with the name of the metric, as OpenMetrics requires; the other
/// formats have a gauge. All states are read at once: after [`set`](StateSet::set) no scrape sees
/// two. Initially no state is on.
///
/// ```
/// use selfheal::registry::{DeclareError, Registry, StateSet};
///
/// selfheal::label_values! {
///     enum Phase { Starting = "starting", Serving = "serving", Draining = "draining" }
/// }
///
/// # fn main() -> Result<(), DeclareError> {
/// let registry = Registry::new();
/// let phase: StateSet<Phase> = registry.state_set("app_phase", "What it is doing").build()?;
/// phase.set(Phase::Starting);
/// phase.set(Phase::Serving);
/// assert!(phase.has(Phase::Serving) && !phase.has(Phase::Starting));
/// // app_phase{app_phase="starting"} 0
/// // app_phase{app_phase="serving"} 1
/// // app_phase{app_phase="draining"} 0
/// # Ok(())
/// # }
/// ```
pub struct StateSet<E> {
    bits: Place<AtomicU64>,
    states: PhantomData<fn() -> E>,
}

impl<E: LabelValue> StateSet<E> {
    /// Sets this state and no other.
    #[inline]
    pub fn set(&self, state: E) {
        let bit = bit(&state);
        self.bits
            .use_cell(|bits| bits.store(bit, Ordering::Relaxed));
    }

    /// Switches one state on or off, and leaves the others unchanged.
    #[inline]
    pub fn switch(&self, state: E, on: bool) {
        let bit = bit(&state);
        self.bits.use_cell(|bits| {
            if on {
                bits.fetch_or(bit, Ordering::Relaxed);
            } else {
                bits.fetch_and(!bit, Ordering::Relaxed);
            }
        });
    }

    /// Switches every state off.
    pub fn clear(&self) {
        self.bits.use_cell(|bits| bits.store(0, Ordering::Relaxed));
    }

    /// Whether this state is on.
    #[must_use]
    pub fn has(&self, state: E) -> bool {
        let bits = self.bits.cell();
        bits.is_some_and(|bits| bits.load(Ordering::Relaxed) & bit(&state) != 0)
    }
}

/// The bit of a state; none if it is not listed.
pub(in crate::registry) fn bit<E: LabelValue>(state: &E) -> u64 {
    match state.index() {
        index if index < E::VALUES.len() => 1 << index,
        _ => 0,
    }
}

impl<E> Clone for StateSet<E> {
    fn clone(&self) -> Self {
        Self {
            bits: self.bits.clone(),
            states: PhantomData,
        }
    }
}

impl<E> fmt::Debug for StateSet<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateSet({:?})", self.bits)
    }
}

impl<E: LabelValue + 'static> Metric for StateSet<E> {}

impl<E: LabelValue + 'static> Sealed for StateSet<E> {
    type Cell = AtomicU64;
    const KIND: Kind = Kind::StateSet;

    fn cell(_: &Shape) -> AtomicU64 {
        const {
            assert!(
                !E::VALUES.is_empty() && E::VALUES.len() <= 64,
                "a state set has 1 to 64 states, which its type lists as `VALUES`"
            );
            assert!(are_distinct(E::VALUES), "two states have the same text");
        }
        AtomicU64::new(0)
    }

    fn handle(bits: Place<AtomicU64>, _: &Shape) -> Self {
        Self {
            bits,
            states: PhantomData,
        }
    }

    /// The number of states that are on.
    fn read<'a>(cell: &'a AtomicU64, _: &'a mut Scratch) -> Sample<'a> {
        let on = cell.load(Ordering::Relaxed).count_ones();
        Sample::new(ValueRef::Number(Number::U64(on.into())))
    }

    fn each(
        cell: &AtomicU64,
        (metric, labels): (&str, &str),
        _: &mut Scratch,
        visit: Visit<'_>,
    ) -> ControlFlow<()> {
        let bits = cell.load(Ordering::Relaxed);
        let mut flow = ControlFlow::Continue(());
        let mut text = String::new();
        for at in 0..Self::PARTS {
            state_labels::<E>((metric, labels), at, &mut text);
            let on = Number::U64(bits >> at & 1);
            // All states are visited, even if the visitor has asked to stop.
            let after = visit(&text, &Sample::new(ValueRef::Number(on)));
            if after.is_break() {
                flow = after;
            }
        }
        flow
    }

    const PARTS: usize = E::VALUES.len();

    fn value<'a>(cell: &'a AtomicU64, part: usize, _: &'a mut Scratch) -> Option<ValueRef<'a>> {
        let on = cell.load(Ordering::Relaxed) >> part & 1;
        Some(ValueRef::Number(Number::U64(on)))
    }

    fn part(names: (&str, &str), part: usize, visit: &mut dyn FnMut(&str)) {
        let mut text = String::new();
        state_labels::<E>(names, part, &mut text);
        visit(&text);
    }
}

/// Writes the labels of one state: those of the series, and one with the name of the metric.
fn state_labels<E: LabelValue>((metric, labels): (&str, &str), state: usize, text: &mut String) {
    text.clear();
    text.push_str(labels);
    if !labels.is_empty() {
        text.push(',');
    }
    text.push_str(metric);
    text.push_str("=\"");
    escape::label_value(text, E::VALUES[state]);
    text.push('"');
}
