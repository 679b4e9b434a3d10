//! The metric types: handles that are cheap to clone, never lock and never fail.

mod common;
mod counter;
mod exemplar;
mod function;
mod gauge;
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
mod handle;
mod histogram;
mod info;
mod note;
mod states;
mod striped;
mod timer;

use std::sync::Arc;

pub(super) use common::Common;
pub use counter::{Counter, FloatCounter};
pub use function::GaugeFn;
pub use gauge::{FloatGauge, Gauge, GaugeGuard};
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
pub(crate) use handle::Handle;
pub use histogram::Histogram;
pub(super) use histogram::{Plan, Tally};
pub use info::Info;
pub(crate) use note::Note;
pub use states::StateSet;
pub use striped::{StripedCounter, StripedHistogram};
pub use timer::Timer;

use super::snapshot::{Sample, Scratch, ValueRef};
use super::storage::Place;
use crate::catalog::Kind;

/// A type of metric that a family can hold. Sealed: the formats know what there is.
pub trait Metric: Clone + Send + Sync + 'static + sealed::Sealed {}

pub(super) mod sealed {
    use std::ops::ControlFlow;

    use super::{Arc, Common, Kind, Place, Plan, Sample, Scratch, ValueRef};
    use crate::registry::rejected::Rejected;

    /// What all series of a family have in common.
    #[derive(Clone, Debug)]
    pub struct Shape {
        /// The upper bounds of the buckets of a histogram.
        pub(crate) bounds: Arc<[f64]>,
        /// The native buckets of a histogram that has them.
        pub(crate) native: Option<Plan>,
        pub(crate) rejected: Rejected,
        pub(crate) common: Arc<Common>,
    }

    #[cfg(test)]
    impl Shape {
        /// That of a family on its own, whose time stands still.
        pub(crate) fn of(bounds: &[f64], native: Option<crate::catalog::Native>) -> Self {
            let (clock, _) = crate::util::Clock::manual();
            Self {
                bounds: bounds.into(),
                native: native.as_ref().map(Plan::new),
                rejected: Rejected::default(),
                common: Arc::new(Common::new(clock, false)),
            }
        }
    }

    /// Takes the rendered labels and the value of a sample, and says whether to go on.
    pub(crate) type Visit<'v> = &'v mut dyn FnMut(&str, &Sample<'_>) -> ControlFlow<()>;

    /// What the registry needs to know of a metric type.
    pub trait Sealed {
        /// What holds the value of a series.
        type Cell: crate::registry::storage::Cell;
        const KIND: Kind;
        fn cell(shape: &Shape) -> Self::Cell;
        fn handle(place: Place<Self::Cell>, shape: &Shape) -> Self;
        /// Reads the value; `scratch` holds what does not fit into it.
        fn read<'a>(cell: &'a Self::Cell, scratch: &'a mut Scratch) -> Sample<'a>;
        /// Reads a series out, of which the names are the exposed one of its metric and its
        /// rendered labels. One sample, except where a type says otherwise.
        fn each(
            cell: &Self::Cell,
            (_, labels): (&str, &str),
            scratch: &mut Scratch,
            visit: Visit<'_>,
        ) -> ControlFlow<()> {
            visit(labels, &Self::read(cell, scratch))
        }

        /// How many series one cell is exposed as.
        const PARTS: usize = 1;
        /// The value of a part. Unlike [`read`](Sealed::read) it leaves exemplars where they
        /// are, for a scrape. `None` where there is nothing to read.
        fn value<'a>(
            cell: &'a Self::Cell,
            _part: usize,
            scratch: &'a mut Scratch,
        ) -> Option<ValueRef<'a>> {
            Some(Self::read(cell, scratch).value)
        }
        /// Calls `visit` with the rendered labels of a part; the names are those of
        /// [`each`](Sealed::each).
        fn part((_, labels): (&str, &str), _part: usize, visit: &mut dyn FnMut(&str)) {
            visit(labels);
        }
    }
}

/// Adds to an f64 that is kept as its bits.
#[inline]
fn add_f64(bits: &std::sync::atomic::AtomicU64, value: f64) {
    use std::sync::atomic::Ordering::Relaxed;
    let mut now = bits.load(Relaxed);
    loop {
        let sum = (f64::from_bits(now) + value).to_bits();
        match bits.compare_exchange_weak(now, sum, Relaxed, Relaxed) {
            Ok(_) => return,
            Err(other) => now = other,
        }
    }
}

#[cfg(test)]
mod tests;
