use std::ops::ControlFlow;

use super::cell::Cell;
use super::group::{Place, Series};
use super::life::GROUP;
use super::sync::Arc;
use super::table::Table;
use crate::registry::notes::Note;

/// The number of series read at once, so that a reader can yield to others.
pub(super) const CHUNK: u32 = 128;

/// The series of a family as seen by one scrape. Series created later are not in it, and removed
/// ones may be.
pub(in crate::registry) struct View<C: Cell> {
    table: Option<Arc<Table<C>>>,
    /// The end at its start. A series that is removed and created again meanwhile is beyond it, or
    /// it would be read twice.
    end: u32,
    /// The series of a family without labels, and the overflow series.
    others: [Option<Place<C>>; 2],
}

impl<C: Cell> View<C> {
    pub(super) fn new(table: Option<Arc<Table<C>>>, others: [Option<Place<C>>; 2]) -> Self {
        Self {
            end: table.as_ref().map_or(0, |table| table.end()),
            table,
            others,
        }
    }

    /// Calls `visit` with the rendered labels, the cell and the note, if any, of every series from
    /// position `from` on, oldest first, until `visit` breaks or a chunk is done. Returns the
    /// position to continue from; `None` at the end. No lock is held.
    pub(in crate::registry) fn each_from(
        &self,
        from: usize,
        mut visit: impl FnMut(&str, &C, Option<&Note>) -> ControlFlow<()>,
    ) -> Option<usize> {
        let from = u32::try_from(from).unwrap_or(u32::MAX);
        if let Some(table) = self.table.as_ref().filter(|_| from < self.end) {
            let to = self.end.min((from - from % GROUP).saturating_add(CHUNK));
            let stopped = table.each_in(from..to, |series| {
                visit(series.text, series.cell, series.notes.get())
            });
            return Some(stopped.map_or(to, |at| at + 1) as usize);
        }
        for place in self.others.iter().flatten() {
            if let Some(series) = place.series() {
                // These are few, so that they are visited last and all at once.
                if visit(series.text, series.cell, series.notes.get()).is_break() {
                    return None;
                }
            }
        }
        None
    }

    /// Calls `visit` with every series, oldest first. No lock is held.
    pub(in crate::registry) fn each(&self, mut visit: impl FnMut(Series<'_, C>)) {
        if let Some(table) = &self.table {
            table.each_in(0..self.end, |series| {
                visit(series);
                ControlFlow::Continue(())
            });
        }
        let others = self.others.iter().flatten();
        others.filter_map(Place::series).for_each(visit);
    }
}
