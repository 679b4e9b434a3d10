//! The leaves of standing queries: the newest values of series, or those of a range.

use std::collections::VecDeque;
use std::sync::Arc;

use super::absent::{ABSENT, is_absent};
use super::beside::Beside;
use crate::history::History;
use crate::promql::labels::LabelSet;
use crate::promql::recorded::{Index, Life};
use crate::promql::source::{Matcher, Selection};
use crate::promql::value::Sample;

/// The samples of times with a value.
pub(super) fn present<'a>(
    cells: impl Iterator<Item = (&'a i64, &'a f64)>,
) -> impl Iterator<Item = Sample> {
    let cells = cells.filter(|(_, value)| !is_absent(**value));
    cells.map(|(time, value)| Sample {
        time: *time,
        value: (*value).into(),
    })
}

/// The limit of ticks of a range held in memory: an hour and the look-back, at a step of 15 s. The
/// samples of longer ones are copied, since the history stores them in a tenth of the memory.
const MOST_TICKS: usize = 272;

/// The limit of values held by all ranges: 8 MB.
pub(super) const MOST_CELLS: usize = 1 << 20;

/// The series of a selector.
pub(super) struct Leaf {
    pub(super) matchers: Arc<[Matcher]>,
    /// The source of each series' samples.
    lives: Vec<Life>,
    /// Further sources, of series that were removed and came back.
    more: Vec<(usize, Life)>,
    /// The indices of the series, if they are besides the history.
    beside: Option<Vec<usize>>,
}

impl Leaf {
    pub(super) fn new(matchers: &Arc<[Matcher]>) -> Self {
        Self {
            matchers: Arc::clone(matchers),
            lives: Vec::new(),
            more: Vec::new(),
            beside: None,
        }
    }

    /// Finds the series; `None` if there are native histograms or too many series, or if some are in
    /// the history and some besides it.
    pub(super) fn build(
        &mut self,
        index: &Index,
        beside: Option<&dyn Beside>,
        most: usize,
    ) -> Option<Vec<LabelSet>> {
        self.lives.clear();
        self.more.clear();
        self.beside = None;
        let mut labels = Vec::new();
        let selection = Selection::newest(Arc::clone(&self.matchers), 0, 0);
        if let Some(beside) = beside {
            let places = self.beside.insert(Vec::new());
            beside.find(&self.matchers, &mut |series, place| {
                labels.push(series.clone());
                places.push(place);
            });
            if !places.is_empty() {
                let is_whole = index.find(&selection).next().is_none() && places.len() <= most;
                return is_whole.then_some(labels);
            }
            self.beside = None;
        }
        for (series, lives) in index.find(&selection) {
            let (first, others) = lives.split_first()?;
            if lives.iter().any(|life| !life.is_number()) || labels.len() == most {
                return None;
            }
            self.lives.push(*first);
            let others = others.iter().map(|life| (labels.len(), *life));
            self.more.extend(others);
            labels.push(series.clone());
        }
        Some(labels)
    }

    /// Reads the newest values from `from` to `to`. False if there are newer ones.
    pub(super) fn newest(
        &self,
        (history, beside): (&History, &dyn Beside),
        range: (i64, i64),
        points: &mut Vec<(i64, f64)>,
        values: &mut [f64],
    ) -> bool {
        if let Some(places) = &self.beside {
            return beside.newest(places, (range.0.saturating_sub(1), range.1), values);
        }
        if !history.newest_each(self.lives.iter().map(Life::place), range, points) {
            return false;
        }
        for (value, (_, point)) in values.iter_mut().zip(&*points) {
            *value = *point;
        }
        if self.more.is_empty() {
            return true;
        }
        let mut times: Vec<i64> = points.iter().map(|(time, _)| *time).collect();
        let more = self.more.iter().map(|(_, life)| life.place());
        if !history.newest_each(more, range, points) {
            return false;
        }
        for ((at, _), (time, point)) in self.more.iter().zip(&*points) {
            // A stale marker is dropped if the series came back before the next tick.
            let later = *time > times[*at] || (*time == times[*at] && !is_absent(*point));
            if later {
                (times[*at], values[*at]) = (*time, *point);
            }
        }
        true
    }

    /// Whether the series are in the history.
    pub(super) fn is_measured(&self) -> bool {
        self.beside.is_none()
    }

    /// Calls `visit` with every value from `from` to `to`: the index of the series, time, value.
    fn each(&self, history: &History, range: (i64, i64), mut visit: impl FnMut(usize, i64, f64)) {
        let lives = self.lives.iter().enumerate();
        let lives = lives.chain(self.more.iter().map(|(at, life)| (*at, life)));
        let mut known = None;
        let mut lists = Vec::new();
        for (at, life) in lives {
            if known != Some(life.id) {
                known = Some(life.id);
                lists = history.read(life.id, range);
            }
            let list = life.list(&lists).unwrap_or_default();
            for (time, value) in list.iter().filter(|(_, value)| !is_absent(*value)) {
                visit(at, *time, *value);
            }
        }
    }
}

/// The samples of series in a range: a row of cells per series, with common times.
pub(super) struct Ring {
    pub(super) leaf: Leaf,
    /// In milliseconds.
    pub(super) range: i64,
    times: VecDeque<i64>,
    /// The cell of the first time.
    start: usize,
    /// The number of cells in a row.
    width: usize,
    cells: Vec<f64>,
    /// Whether it was read for this set of series.
    pub(super) filled: bool,
}

impl Ring {
    pub(super) fn new(leaf: Leaf, range: i64) -> Self {
        Self {
            leaf,
            range,
            times: VecDeque::new(),
            start: 0,
            width: 0,
            cells: Vec::new(),
            filled: false,
        }
    }

    /// Advances to a time. False if the samples must be copied: too many to hold, or more than the
    /// `most` of a query.
    pub(super) fn advance(
        &mut self,
        history: &History,
        time: i64,
        (points, ticks): (&mut Vec<(i64, f64)>, &mut Vec<i64>),
        (held, most): (&mut usize, usize),
    ) -> bool {
        let last = self.times.back().copied().filter(|_| self.filled);
        let first = time.saturating_sub(self.range).saturating_add(1);
        if last.is_some_and(|last| last > time) || history.has_further_back(first) {
            return false;
        }
        let after = last
            .unwrap_or(i64::MIN)
            .max(time.saturating_sub(self.range));
        history.ticks(after, time, ticks);
        self.forget(time);
        if !self.filled || self.times.len() + ticks.len() > self.width {
            return self.fill(history, time, ticks, (held, most));
        }
        match ticks[..] {
            [] => true,
            [tick] => {
                let column = self.push(tick);
                self.newest(history, (tick, time), column, points)
            }
            _ => {
                let from = ticks[0];
                for tick in &*ticks {
                    let column = self.push(*tick);
                    self.clear(column);
                }
                self.copy(history, (from, time));
                true
            }
        }
    }

    /// Writes the values of the last tick into their column.
    fn newest(
        &mut self,
        history: &History,
        range: (i64, i64),
        column: usize,
        points: &mut Vec<(i64, f64)>,
    ) -> bool {
        let width = self.width;
        let lives = self.leaf.lives.iter().map(Life::place);
        if !history.newest_each(lives, range, points) {
            return false;
        }
        let cells = self.cells.iter_mut().skip(column).step_by(width.max(1));
        for (cell, (_, value)) in cells.zip(&*points) {
            *cell = *value;
        }
        if self.leaf.more.is_empty() {
            return true;
        }
        let more = self.leaf.more.iter().map(|(_, life)| life.place());
        if !history.newest_each(more, range, points) {
            return false;
        }
        for ((at, _), (_, value)) in self.leaf.more.iter().zip(&*points) {
            if !is_absent(*value) {
                self.cells[at * width + column] = *value;
            }
        }
        true
    }

    /// Reads the whole range.
    fn fill(
        &mut self,
        history: &History,
        time: i64,
        ticks: &mut Vec<i64>,
        (held, most): (&mut usize, usize),
    ) -> bool {
        let before = if self.filled { self.cells.len() } else { 0 };
        let from = time.saturating_sub(self.range);
        history.ticks(from, time, ticks);
        // Twice as many as needed, since more ticks arrive before the first one is too old.
        let width = (ticks.len() * 2).next_power_of_two().max(16);
        let cells = width * self.leaf.lives.len();
        let all = *held - before.min(*held) + cells;
        let samples = ticks.len() * self.leaf.lives.len();
        if ticks.len() > MOST_TICKS || all > MOST_CELLS || samples > most {
            return false;
        }
        *held = all;
        self.filled = true;
        self.width = width;
        self.start = 0;
        self.cells.clear();
        self.cells.resize(cells, ABSENT);
        self.times.clear();
        self.times.reserve(width);
        self.times.extend(ticks.iter().copied());
        self.copy(history, (from.saturating_add(1), time));
        true
    }

    fn copy(&mut self, history: &History, range: (i64, i64)) {
        let Self {
            leaf,
            times,
            start,
            width,
            cells,
            ..
        } = self;
        let mut at = 0;
        leaf.each(history, range, |series, time, value| {
            if times.get(at) != Some(&time) {
                let Ok(found) = times.binary_search(&time) else {
                    return;
                };
                at = found;
            }
            cells[series * *width + (*start + at) % *width] = value;
            at += 1;
        });
    }

    /// Adds a time, and returns its column.
    fn push(&mut self, tick: i64) -> usize {
        let column = (self.start + self.times.len()) % self.width;
        self.times.push_back(tick);
        column
    }

    fn clear(&mut self, column: usize) {
        let cells = self.cells.iter_mut().skip(column);
        cells.step_by(self.width).for_each(|cell| *cell = ABSENT);
    }

    /// Drops the times before the range.
    fn forget(&mut self, time: i64) {
        let after = time.saturating_sub(self.range);
        while self.times.front().is_some_and(|time| *time <= after) {
            self.times.pop_front();
            self.start = (self.start + 1) % self.width;
        }
    }

    /// The values of a series up to a time, newest first.
    fn back(&self, series: usize, until: i64) -> impl Iterator<Item = (i64, f64)> {
        let line = self.line(series);
        let count = self.times.partition_point(|time| *time <= until);
        let before = self.times.range(..count).rev().zip((0..count).rev());
        before.map(move |(time, at)| {
            let cell = (self.start + at) % self.width.max(1);
            (*time, line.get(cell).copied().unwrap_or(ABSENT))
        })
    }

    fn line(&self, series: usize) -> &[f64] {
        let line = series * self.width..(series + 1) * self.width;
        self.cells.get(line).unwrap_or_default()
    }

    /// The value of a series at the last tick up to a time, if that tick is after another time.
    pub(super) fn newest_at(&self, series: usize, (after, until): (i64, i64)) -> f64 {
        let newest = self.back(series, until).next();
        newest
            .filter(|(time, _)| *time > after)
            .map_or(ABSENT, |(_, value)| value)
    }

    /// Whether a series has a value after one time and up to another.
    pub(super) fn has(&self, series: usize, (after, until): (i64, i64)) -> bool {
        let mut back = self
            .back(series, until)
            .take_while(|(time, _)| *time > after);
        back.any(|(_, value)| !is_absent(value))
    }

    /// The samples of a series after one time and up to another.
    pub(super) fn samples(
        &self,
        series: usize,
        (after, until): (i64, i64),
        into: &mut Vec<Sample>,
    ) {
        into.clear();
        let line = self.line(series);
        let (wrapped, first) = line.split_at(self.start.min(line.len()));
        let from = self.times.partition_point(|time| *time <= after);
        let to = self.times.partition_point(|time| *time <= until);
        let times = self.times.range(from..to.max(from));
        let values = first.iter().chain(wrapped).skip(from);
        into.extend(present(times.zip(values)));
    }
}
