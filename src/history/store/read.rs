//! Reads the values of series.

use super::Store;
use crate::registry::{HistogramSnapshot, NativeBuckets, SeriesId};
use crate::util::STALE;

impl Store {
    /// Copies the values of a series from `from` to `to`, one list per part; empty if the series is
    /// gone.
    pub(in crate::history) fn read(
        &mut self,
        id: SeriesId,
        (from, to): (i64, i64),
    ) -> Vec<Vec<(i64, f64)>> {
        let begin = self.times.partition_point(|time| *time < from);
        let end = self.times.partition_point(|time| *time <= to);
        let newest = self.next().saturating_sub(1);
        let Some(place) = self.place_of(id).filter(|_| begin < end) else {
            return Vec::new();
        };
        let series = self.series.get_mut(place as usize);
        let Some(series) = series.and_then(Option::as_mut) else {
            return Vec::new();
        };
        series.read_at(newest);
        let range = self.first + begin as u64..self.first + end as u64;
        let (first, times) = (self.first, &self.times);
        let place = |tick: u64| usize::try_from(tick.wrapping_sub(first)).ok();
        let parts = series.parts.streams().iter().map(|stream| {
            let mut points = Vec::with_capacity(end - begin);
            let add_stale = |tick: u64, points: &mut Vec<(i64, f64)>| {
                if range.contains(&tick)
                    && let Some(time) = place(tick).and_then(|at| times.get(at))
                {
                    points.push((*time, f64::from_bits(STALE)));
                }
            };
            // From one tick earlier, since a series that ended there ends in the range.
            let mut ended = None;
            stream.each(
                range.start.saturating_sub(1),
                range.end - 1,
                |from, values| {
                    if let Some(tick) = ended.take().filter(|tick| *tick < from) {
                        add_stale(tick, &mut points);
                    }
                    let count = values.len();
                    ended = Some(from + count as u64);
                    // Earlier values are decoded, but not copied.
                    let early = usize::try_from(range.start.saturating_sub(from)).ok();
                    let from = place(from.max(range.start)).unwrap_or(end).min(end);
                    let values = values.skip(early.unwrap_or(count));
                    points.extend(times.range(from..end).copied().zip(values));
                },
            );
            if let Some(tick) = ended.filter(|tick| *tick <= newest) {
                add_stale(tick, &mut points);
            }
            points
        });
        parts.collect()
    }

    /// Copies the native buckets and sums of a series from `from` to `to`, or only the newest.
    pub(in crate::history) fn read_native(
        &mut self,
        id: SeriesId,
        (from, to): (i64, i64),
        newest_only: bool,
    ) -> Vec<(i64, HistogramSnapshot)> {
        let begin = self.times.partition_point(|time| *time < from) as u64;
        let end = self.times.partition_point(|time| *time <= to) as u64;
        let newest = self.next().saturating_sub(1);
        let Some(place) = self.place_of(id).filter(|_| begin < end) else {
            return Vec::new();
        };
        let series = self.series.get_mut(place as usize);
        let Some(series) = series.and_then(Option::as_mut) else {
            return Vec::new();
        };
        series.read_at(newest);
        let Some(native) = series.parts.native() else {
            return Vec::new();
        };
        let range = self.first + begin..=self.first + end - 1;
        let last = native
            .newest()
            .filter(|(tick, _)| newest_only && range.contains(tick));
        // From one tick earlier, since a series that ended there ends in the range.
        let found = match last {
            Some(last) => vec![last],
            None => native.between(range.start().saturating_sub(1), *range.end()),
        };
        let mut points = Vec::with_capacity(found.len());
        let mut found = found.into_iter().peekable();
        let mut add = |tick: u64, histogram| {
            let at = usize::try_from(tick.wrapping_sub(self.first)).ok();
            if range.contains(&tick)
                && let Some(time) = at.and_then(|at| self.times.get(at))
            {
                points.push((*time, histogram));
            }
        };
        while let Some((tick, histogram)) = found.next() {
            add(tick, histogram);
            let follows = found.peek().is_some_and(|(next, _)| *next == tick + 1);
            if !follows && tick < newest {
                let ended = f64::from_bits(STALE);
                add(
                    tick + 1,
                    HistogramSnapshot::native(NativeBuckets::default(), ended),
                );
            }
        }
        points
    }

    /// Adds the newest value of each part of a series to `into`, if it is not before `from`.
    /// Decodes nothing, which requires a time at or after the last tick; false for another.
    pub(in crate::history) fn newest(
        &mut self,
        id: SeriesId,
        (from, to): (i64, i64),
        into: &mut Vec<(i64, f64)>,
    ) -> bool {
        if self.times.back().is_none_or(|last| *last > to) {
            return false;
        }
        let newest = self.next().saturating_sub(1);
        let Some(place) = self.place_of(id) else {
            return true;
        };
        let series = self.series.get_mut(place as usize);
        let Some(series) = series.and_then(Option::as_mut) else {
            return true;
        };
        series.read_at(newest);
        for stream in series.parts.streams() {
            let Some((tick, value)) = stream.newest() else {
                return false;
            };
            // A part without a value at the last tick ended after its own.
            let ended = tick < newest;
            let (tick, value) = if ended {
                (tick + 1, f64::from_bits(STALE))
            } else {
                (tick, value)
            };
            let at = usize::try_from(tick.wrapping_sub(self.first)).ok();
            let time = at.and_then(|at| self.times.get(at)).copied();
            into.extend(time.filter(|time| *time >= from).map(|time| (time, value)));
        }
        true
    }

    pub(in crate::history) fn ticks(&self, after: i64, until: i64, into: &mut Vec<i64>) {
        let begin = self.times.partition_point(|time| *time <= after);
        let end = self.times.partition_point(|time| *time <= until);
        into.clear();
        into.extend(self.times.range(begin.min(end)..end));
    }

    pub(in crate::history) fn newest_each(
        &mut self,
        wanted: impl Iterator<Item = (SeriesId, usize, usize)>,
        (from, to): (i64, i64),
        into: &mut Vec<(i64, f64)>,
    ) -> bool {
        into.clear();
        if self.times.back().is_some_and(|last| *last > to) {
            return false;
        }
        let newest = self.next().saturating_sub(1);
        // Series are mostly requested in their order here.
        let mut known: Option<(SeriesId, u32)> = None;
        for (id, part, parts) in wanted {
            let place = match known {
                Some((last, place)) if last == id => Some(place),
                Some((_, place)) if self.is_at(id, place + 1) => Some(place + 1),
                _ => self.place_of(id),
            };
            known = place.map(|place| (id, place));
            let series = place.and_then(|place| self.series.get_mut(place as usize)?.as_mut());
            let series = series.filter(|series| series.parts.streams().len() == parts);
            let newest_value = series.and_then(|series| {
                series.read_at(newest);
                series.parts.streams().get(part)?.newest()
            });
            let point = newest_value.and_then(|(tick, value)| {
                // A number without a value at the last tick ended after its own.
                let (tick, value) = if tick < newest {
                    (tick + 1, f64::from_bits(STALE))
                } else {
                    (tick, value)
                };
                let at = usize::try_from(tick.wrapping_sub(self.first)).ok()?;
                Some((*self.times.get(at)?, value))
            });
            let point = point.filter(|(time, _)| *time >= from);
            into.push(point.unwrap_or((i64::MIN, f64::from_bits(STALE))));
        }
        true
    }

    fn is_at(&self, id: SeriesId, place: u32) -> bool {
        self.get(place).is_some_and(|series| series.id == id)
    }
}
