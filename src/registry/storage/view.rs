use std::ops::ControlFlow;

use super::cell::Cell;
use super::group::{Place, Series};
use super::life::GROUP;
use super::sync::Arc;
use super::table::Table;
use crate::registry::metric::Note;

/// How many series are read out at once, so that whoever reads can let others go ahead.
pub(super) const CHUNK: u32 = 128;

/// The series of a family as one scrape sees them. Series that come later are not in it, and
/// those that go may be.
pub(in crate::registry) struct View<C: Cell> {
    table: Option<Arc<Table<C>>>,
    /// What was there when it began. A series that is removed and comes back meanwhile is
    /// behind this, or it would be read out twice.
    end: u32,
    /// The series of a family without labels, and what is beyond the limit.
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

    /// Calls `visit` with the rendered labels, the cell and the note, if there is one, of every
    /// series from position `from` on, oldest first, until `visit` breaks off or a few are done. Returns the position to go
    /// on from; `None` at the end. No lock is held.
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
                // A family has few of these: they come together, and nothing after them.
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
