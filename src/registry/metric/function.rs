use std::cell::Cell as Flag;
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::Mutex;

use super::Metric;
use super::sealed::{Sealed, Shape, Visit};
use crate::catalog::Kind;
use crate::registry::rejected::Rejected;
use crate::registry::snapshot::{Number, Sample, Scratch, ValueRef};
use crate::registry::storage::{Made, Place};

/// A gauge whose value is computed when it is read: the length of a queue, the age of a cache.
///
/// Its function runs on the scraping thread, once per scrape, with no lock held, so it must not
/// block. If it panics it is left out of that scrape and counted as rejected under the name of the
/// metric. If it scrapes the registry, or reads another gauge of this type, functions are skipped
/// there, to prevent recursion.
///
/// The captures of the function live until it is replaced, or removed by [`clear`](GaugeFn::clear):
/// capture a `Weak` if it must not keep the measured object alive.
#[derive(Clone, Debug)]
pub struct GaugeFn(Place<Cell>);

type Function = Arc<dyn Fn() -> f64 + Send + Sync>;

/// The function of one series.
pub struct Cell {
    function: Mutex<Option<Function>>,
    rejected: Rejected,
}

impl Made for Cell {}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell")
            .field("rejected", &self.rejected)
            .finish_non_exhaustive()
    }
}

impl GaugeFn {
    /// Sets the function, replacing the previous one.
    pub fn set(&self, function: impl Fn() -> f64 + Send + Sync + 'static) {
        self.replace(Some(Arc::new(function)));
    }

    /// Removes the function: the series is no longer exposed.
    pub fn clear(&self) {
        self.replace(None);
    }

    /// The current result of the function; `None` if there is none, if it panics, or if called from
    /// the function of such a gauge.
    #[must_use]
    pub fn get(&self) -> Option<f64> {
        self.0.cell()?.call()
    }

    fn replace(&self, function: Option<Function>) {
        if let Some(cell) = self.0.cell() {
            let before = std::mem::replace(&mut *cell.function.lock(), function);
            // Dropped after the lock is released, since it may own anything.
            drop(before);
        }
    }
}

thread_local! {
    /// Whether this thread is calling the function of a gauge.
    static CALLING: Flag<bool> = const { Flag::new(false) };
}

impl Cell {
    fn call(&self) -> Option<f64> {
        let function = self.function.lock().clone()?;
        if CALLING.replace(true) {
            return None;
        }
        // The function is dropped here if it was replaced meanwhile; that may panic as well.
        let value = catch_unwind(AssertUnwindSafe(move || function()));
        CALLING.set(false);
        if value.is_err() {
            self.rejected.count();
        }
        value.ok()
    }
}

impl Metric for GaugeFn {}

impl Sealed for GaugeFn {
    type Cell = Cell;
    const KIND: Kind = Kind::Gauge;

    fn cell(shape: &Shape) -> Cell {
        Cell {
            function: Mutex::new(None),
            rejected: shape.rejected.clone(),
        }
    }

    fn handle(place: Place<Cell>, _: &Shape) -> Self {
        Self(place)
    }

    /// NaN if there is no value.
    fn read<'a>(cell: &'a Cell, _: &'a mut Scratch) -> Sample<'a> {
        let value = cell.call().unwrap_or(f64::NAN);
        Sample::new(ValueRef::Number(Number::F64(value)))
    }

    fn each(
        cell: &Cell,
        (_, labels): (&str, &str),
        _: &mut Scratch,
        visit: Visit<'_>,
    ) -> ControlFlow<()> {
        match cell.call() {
            Some(value) => visit(labels, &Sample::new(ValueRef::Number(Number::F64(value)))),
            None => ControlFlow::Continue(()),
        }
    }

    fn value<'a>(cell: &'a Cell, _: usize, _: &'a mut Scratch) -> Option<ValueRef<'a>> {
        cell.call()
            .map(|value| ValueRef::Number(Number::F64(value)))
    }
}
