//! Removal of series: single, matching, and idle ones.

use super::cell::Cell;
use super::group::Series;
use super::index::Progress;
use super::life::GROUP;
use super::store::{Storage, Writer, find_text};
use super::sync::{Arc, MutexGuard, Ordering, RwLock};
use super::table::Table;
use super::view::CHUNK;
use crate::registry::labels::Labels;
use crate::registry::notes::Note;

/// Number of series removed in the process. Not explored by the models: a too early read is
/// equivalent to one just before the removal.
static REMOVALS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// Number of series removed so far, in all registries: while it is unchanged, no handle has lost
/// its series.
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
#[cfg_attr(
    test,
    allow(dead_code, reason = "the models compile this file a second time")
)]
#[inline]
pub(crate) fn removals() -> u64 {
    REMOVALS.load(Ordering::Acquire)
}

impl<C: Cell> Storage<C> {
    /// Removes the series of `labels`; held handles keep working, unexposed.
    pub(in crate::registry) fn remove<L: Labels>(&self, labels: &L) -> bool {
        let rendered = self.frame.render(self.keys, labels);
        let mut writer = self.writer.lock();
        let Some(table) = self.table() else {
            return false;
        };
        let Some(position) = find_text(&table, &rendered) else {
            return false;
        };
        table.bury(position);
        self.take_out(&mut writer, &table, position);
        self.move_if_worth(writer, &table);
        true
    }

    /// Removes the series for which `keep` returns false, given rendered labels, cell and note, and
    /// returns their number. No lock is held while `keep` runs; with concurrent removals it may be
    /// called for a series twice.
    pub(in crate::registry) fn retain(
        &self,
        keep: &mut dyn FnMut(&str, &C, Option<&Note>) -> bool,
    ) -> usize {
        let goes = |_: &Table<C>, _, series: Series<'_, C>| {
            !keep(series.text, series.cell, series.notes.get())
        };
        let bury = |table: &Table<C>, position| {
            table.bury(position);
            true
        };
        self.sweep(goes, bury)
    }

    /// Removes the series unused for `after`; returns their number. `now` and `after` are in
    /// nanoseconds, and `now` never decreases.
    pub(in crate::registry) fn expire(&self, now: u64, after: u64) -> usize {
        let goes =
            |table: &Table<C>, position, _: Series<'_, C>| table.is_idle(position, now, after);
        let gone = self.sweep(goes, Table::bury_idle);
        self.expired.fetch_add(gone as u64, Ordering::Relaxed);
        gone
    }

    /// Removes the series selected by `goes` and marked by `bury`, in chunks.
    fn sweep(
        &self,
        mut goes: impl FnMut(&Table<C>, u32, Series<'_, C>) -> bool,
        bury: impl Fn(&Table<C>, u32) -> bool,
    ) -> usize {
        let Some(mut table) = self.table() else {
            return 0;
        };
        // Series added meanwhile are left for the next call.
        let mut end = table.end();
        let (mut from, mut gone) = (0, 0);
        let mut chosen = Vec::new();
        while from < end {
            let to = end.min(from.saturating_add(CHUNK));
            for position in from..to {
                if let Some(series) = table.living(position)
                    && goes(&table, position, series)
                {
                    chosen.push(position);
                }
            }
            from = to;
            if chosen.is_empty() {
                continue;
            }
            let mut writer = self.writer.lock();
            match self.table() {
                Some(now) if !Arc::ptr_eq(&now, &table) => {
                    // Other removals made the family move to a new table: the positions are
                    // obsolete.
                    (table, from) = (now, 0);
                    end = table.end();
                    chosen.clear();
                }
                _ => {}
            }
            for position in chosen.drain(..) {
                if table.living(position).is_some() && bury(&table, position) {
                    self.take_out(&mut writer, &table, position);
                    gone += 1;
                }
            }
        }
        let writer = self.writer.lock();
        if let Some(table) = self.table() {
            self.move_if_worth(writer, &table);
        }
        gone
    }

    /// Removes a marked series from the index and the counts.
    fn take_out(&self, writer: &mut Writer, table: &Table<C>, position: u32) {
        table.leave(position);
        writer.dead_groups += u32::from(table.is_group_dead(position));
        self.live.fetch_sub(1, Ordering::Relaxed);
        self.total.give_back();
        REMOVALS.fetch_add(1, Ordering::Release);
    }

    /// Moves to a new table without dead groups, if it would be much smaller. Readers of the old
    /// one still write to the same cells.
    fn move_if_worth(&self, mut writer: MutexGuard<'_, Writer>, old: &Table<C>) {
        if !old.is_worth_leaving(writer.dead_groups) {
            return;
        }
        let new = Table::new(self.expires);
        let mut progress = Progress::default();
        old.each_living_group(|group| {
            let first = new.adopt(group);
            for position in first..first + GROUP {
                new.enter(&mut progress, position);
            }
        });
        *writer = Writer {
            progress,
            dead_groups: 0,
        };
        let new = Arc::new(new);
        let later = self.later.get_or_init(|| RwLock::new(Arc::clone(&new)));
        *later.write() = new;
    }
}
