//! The metric types: handles that are cheap to clone, never lock and never fail.

mod counter;
mod function;
mod gauge;
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
mod handle;
mod histogram;
mod info;
mod states;
mod striped;
mod timer;

use std::sync::Arc;

pub use counter::{Counter, FloatCounter};
pub(super) use counter::{Sum, grow};
pub use function::GaugeFn;
pub use gauge::{FloatGauge, Gauge, GaugeGuard};
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
pub(crate) use handle::Handle;
pub use histogram::Histogram;
pub(super) use histogram::{Plan, Tally};
pub use info::Info;
pub use states::StateSet;
pub(super) use states::bit;
pub use striped::{StripedCounter, StripedHistogram};
pub use timer::Timer;

use super::notes::Common;
use super::snapshot::{Sample, Scratch, ValueRef};
use super::storage::Place;
use crate::catalog::Kind;

/// A metric type that a family can hold. Sealed, as the formats only support these.
pub trait Metric: Clone + Send + Sync + 'static + sealed::Sealed {}

pub(super) mod sealed {
    use std::ops::ControlFlow;

    use super::{Arc, Common, Kind, Place, Plan, Sample, Scratch, ValueRef};
    use crate::registry::rejected::Rejected;

    /// Settings shared by all series of a family.
    #[derive(Clone, Debug)]
    pub struct Shape {
        /// The upper bounds of the buckets of a histogram.
        pub(crate) bounds: Arc<[f64]>,
        /// The native buckets of a histogram, if any.
        pub(crate) native: Option<Plan>,
        pub(crate) rejected: Rejected,
        pub(crate) common: Arc<Common>,
    }

    #[cfg(test)]
    impl Shape {
        /// The shape of a standalone family, with a stopped clock.
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

    /// Takes the rendered labels and the value of a sample; returns whether to continue.
    pub(crate) type Visit<'v> = &'v mut dyn FnMut(&str, &Sample<'_>) -> ControlFlow<()>;

    /// The registry's interface to a metric type.
    pub trait Sealed {
        /// The storage of a series' value.
        type Cell: crate::registry::storage::Cell;
        const KIND: Kind;
        fn cell(shape: &Shape) -> Self::Cell;
        fn handle(place: Place<Self::Cell>, shape: &Shape) -> Self;
        /// Reads the value; `scratch` holds parts that it borrows.
        fn read<'a>(cell: &'a Self::Cell, scratch: &'a mut Scratch) -> Sample<'a>;
        /// Visits the samples of a series, given the exposed metric name and its rendered labels.
        /// One sample, unless a type has more.
        fn each(
            cell: &Self::Cell,
            (_, labels): (&str, &str),
            scratch: &mut Scratch,
            visit: Visit<'_>,
        ) -> ControlFlow<()> {
            visit(labels, &Self::read(cell, scratch))
        }

        /// Number of series that one cell is exposed as.
        const PARTS: usize = 1;
        /// The value of a part. Unlike [`read`](Sealed::read) it leaves exemplars for a scrape.
        /// `None` if there is no value.
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

/// Adds to an f64 stored as bits.
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
