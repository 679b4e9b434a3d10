//! All series by their id, the times of the ticks, and what keeps both within their bounds.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;

use super::native::{Bucket, Head, Native};
use super::stream::Stream;
use super::{Known, Settings, Stats};
use crate::registry::{HistogramSnapshot, NativeBuckets, SeriesId};
use crate::util::STALE;

/// How often what is too old is looked for, in ticks.
const SWEEP: u64 = 16;

/// For how many ticks a series that was read is kept before others: an hour at a step of 15 s.
const READ: u64 = 240;

/// What one series takes beside its values and its text: the entries in the lists here.
const OVERHEAD: usize = size_of::<Series>() + size_of::<(SeriesId, usize)>() + 16;

#[derive(Debug)]
struct Series {
    id: SeriesId,
    /// The exposed name and the rendered labels, once they are known.
    names: Option<(Arc<str>, Arc<str>)>,
    /// The upper bounds of a histogram, whose classic buckets and sum are a stream each.
    bounds: Option<Arc<[f64]>>,
    streams: Box<[Stream]>,
    native: Option<Box<Native>>,
    /// The tick at which it was read last.
    read: Option<u64>,
}

/// One value as it is sampled, with as many numbers as its kind has.
#[derive(Debug)]
pub(super) struct Sampled {
    pub(super) id: SeriesId,
    pub(super) bounds: Option<Arc<[f64]>>,
    pub(super) numbers: usize,
    /// Of native buckets: the other numbers, and how many buckets there are.
    pub(super) native: Option<(Head, usize)>,
}

impl Series {
    fn is_read(&self, now: u64) -> bool {
        self.read.is_some_and(|tick| tick + READ > now)
    }

    /// The first tick that any part of it is there of.
    fn first(&self) -> Option<u64> {
        let native = self.native.iter().filter_map(|native| native.first());
        self.streams
            .iter()
            .filter_map(Stream::first)
            .chain(native)
            .min()
    }

    /// What it takes beside its values, in bytes.
    fn frame(&self) -> usize {
        let text = self.names.as_ref().map_or(0, |(_, labels)| labels.len());
        let native = self.native.as_ref().map_or(0, |_| size_of::<Native>());
        OVERHEAD + self.streams.len() * size_of::<Stream>() + native + text
    }
}

#[derive(Debug, Default)]
pub(super) struct Store {
    times: VecDeque<i64>,
    /// The number of the first tick in `times`.
    first: u64,
    series: Vec<Option<Series>>,
    free: Vec<usize>,
    places: HashMap<SeriesId, usize, foldhash::fast::RandomState>,
    /// The places of the series in the order of the last tick, which is mostly that of the next.
    order: Vec<usize>,
    bytes: usize,
    evicted: u64,
    /// Whether there are series that have no name yet.
    pub(super) unnamed: bool,
    /// What [`known`](Store::known) returns, until it changes.
    known: Option<Arc<[Known]>>,
}

impl Store {
    /// The number of the tick that comes next.
    fn next(&self) -> u64 {
        self.first + self.times.len() as u64
    }

    /// Adds one tick. Time that has not gone on since the last one makes none.
    pub(super) fn tick(
        &mut self,
        time: i64,
        sampled: &[Sampled],
        numbers: &[f64],
        buckets: &[(Bucket, f64)],
    ) {
        if self.times.back().is_some_and(|last| *last >= time) {
            return;
        }
        let tick = self.next();
        self.times.push_back(time);
        let (mut rest, mut buckets_left) = (numbers, buckets);
        for (at, sampled) in sampled.iter().enumerate() {
            let filled = sampled.native.map_or(0, |(_, buckets)| buckets);
            let (Some((mine, others)), Some((buckets, after))) = (
                rest.split_at_checked(sampled.numbers),
                buckets_left.split_at_checked(filled),
            ) else {
                break;
            };
            (rest, buckets_left) = (others, after);
            let place = self.place(at, sampled);
            if let Some(series) = self.series.get_mut(place).and_then(Option::as_mut) {
                for (stream, value) in series.streams.iter_mut().zip(mine) {
                    let grown = stream.push(tick, *value);
                    self.bytes = self.bytes.saturating_add_signed(grown);
                }
                if let (Some(native), Some((head, _))) = (&mut series.native, &sampled.native) {
                    let grown = native.push(tick, head, buckets);
                    self.bytes = self.bytes.saturating_add_signed(grown);
                }
            }
        }
        self.order.truncate(sampled.len());
    }

    /// Where the series of a sample is, which is made where there is none.
    fn place(&mut self, at: usize, sampled: &Sampled) -> usize {
        if let Some(place) = self.order.get(at)
            && let Some(series) = &self.series[*place]
            && series.id == sampled.id
        {
            return *place;
        }
        let known = self.places.get(&sampled.id).copied();
        let place = known.unwrap_or_else(|| self.make(sampled));
        match self.order.get_mut(at) {
            Some(there) => *there = place,
            None => self.order.push(place),
        }
        place
    }

    fn make(&mut self, sampled: &Sampled) -> usize {
        let series = Series {
            id: sampled.id,
            names: None,
            bounds: sampled.bounds.clone(),
            streams: (0..sampled.numbers).map(|_| Stream::default()).collect(),
            native: sampled.native.map(|_| Box::default()),
            read: None,
        };
        self.unnamed = true;
        self.bytes += series.frame();
        let place = self.free.pop().unwrap_or_else(|| {
            self.series.push(None);
            self.series.len() - 1
        });
        self.series[place] = Some(series);
        self.places.insert(sampled.id, place);
        place
    }

    /// Names the series of an id, if it has no name yet.
    pub(super) fn identify(&mut self, id: SeriesId, name: &Arc<str>, labels: &str) {
        if let Some(place) = self.places.get(&id)
            && let Some(series) = &mut self.series[*place]
            && series.names.is_none()
        {
            self.bytes += labels.len();
            series.names = Some((Arc::clone(name), labels.into()));
            self.known = None;
        }
    }

    /// Every series that has a name.
    pub(super) fn known(&mut self) -> Arc<[Known]> {
        let series = &self.series;
        let list = || {
            let known = series.iter().flatten().filter_map(|series| {
                let (name, labels) = series.names.clone()?;
                Some(Known {
                    id: series.id,
                    name,
                    labels,
                    bounds: series.bounds.clone(),
                    native: series.native.is_some(),
                })
            });
            known.collect()
        };
        Arc::clone(self.known.get_or_insert_with(list))
    }

    /// Drops what is too old and what is too much.
    pub(super) fn bound(&mut self, settings: &Settings) {
        let keep = i64::try_from(settings.keep.as_millis()).unwrap_or(i64::MAX);
        let Some(now) = self.times.back().copied() else {
            return;
        };
        while self
            .times
            .front()
            .is_some_and(|time| *time < now.saturating_sub(keep))
        {
            self.times.pop_front();
            self.first += 1;
        }
        if self.next().is_multiple_of(SWEEP) {
            for series in self.series.iter_mut().flatten() {
                for stream in &mut series.streams {
                    self.bytes -= stream.drop_before(self.first).min(self.bytes);
                }
                if let Some(native) = &mut series.native {
                    self.bytes -= native.drop_before(self.first).min(self.bytes);
                }
            }
            self.forget_empty();
        }
        if self.bytes > settings.max_bytes {
            // A little more than needed, so that it is not needed again at once.
            let goal = settings.max_bytes - settings.max_bytes / 16;
            while self.bytes > goal && self.evict() {}
            self.forget_empty();
        }
    }

    /// Drops the oldest chunks: of series that no one reads, or else of all. False if there is
    /// nothing left to drop.
    fn evict(&mut self) -> bool {
        let now = self.next();
        let oldest = |unread: bool| {
            let series = self.series.iter().flatten();
            let series = series.filter(|series| !(unread && series.is_read(now)));
            series.filter_map(Series::first).min()
        };
        let (unread, oldest) = match oldest(true) {
            Some(oldest) => (true, oldest),
            None => match oldest(false) {
                Some(oldest) => (false, oldest),
                None => return false,
            },
        };
        // Half a chunk more, since not all chunks begin at the same tick.
        let up_to = oldest + u64::from(super::chunk::FULL) / 2;
        for series in self.series.iter_mut().flatten() {
            if unread && series.is_read(now) {
                continue;
            }
            for stream in &mut series.streams {
                if stream.first().is_some_and(|first| first <= up_to) {
                    let (bytes, count) = stream.drop_oldest();
                    self.bytes -= bytes.min(self.bytes);
                    self.evicted += u64::from(count);
                }
            }
            if let Some(native) = &mut series.native
                && native.first().is_some_and(|first| first <= up_to)
            {
                let (bytes, count) = native.drop_oldest();
                self.bytes -= bytes.min(self.bytes);
                self.evicted += u64::from(count);
            }
        }
        true
    }

    /// Forgets series that have no values any more.
    fn forget_empty(&mut self) {
        for (place, slot) in self.series.iter_mut().enumerate() {
            let empty = |series: &&mut Series| series.first().is_none();
            let Some(series) = slot.as_mut().filter(empty) else {
                continue;
            };
            self.bytes -= series.frame().min(self.bytes);
            self.places.remove(&series.id);
            self.known = None;
            *slot = None;
            self.free.push(place);
        }
    }

    /// Copies the values of a series from `from` to `to`, a list for each of its parts; none
    /// where the series is gone.
    pub(super) fn read(&mut self, id: SeriesId, (from, to): (i64, i64)) -> Vec<Vec<(i64, f64)>> {
        let begin = self.times.partition_point(|time| *time < from);
        let end = self.times.partition_point(|time| *time <= to);
        let series = self
            .places
            .get(&id)
            .and_then(|at| self.series[*at].as_mut());
        let Some(series) = series.filter(|_| begin < end) else {
            return Vec::new();
        };
        let newest = self.first + self.times.len() as u64 - 1;
        series.read = Some(newest);
        let range = self.first + begin as u64..self.first + end as u64;
        let parts = series.streams.iter().map(|stream| {
            let mut points = Vec::new();
            let mut add = |tick: u64, value: f64| {
                let at = usize::try_from(tick.wrapping_sub(self.first)).ok();
                if range.contains(&tick)
                    && let Some(time) = at.and_then(|at| self.times.get(at))
                {
                    points.push((*time, value));
                }
            };
            // From one tick further back, for what ended there ends in the range.
            let mut ended = None;
            stream.each(
                range.start.saturating_sub(1),
                range.end - 1,
                |first, values| {
                    if let Some(tick) = ended.take().filter(|tick| *tick < first) {
                        add(tick, f64::from_bits(STALE));
                    }
                    let mut tick = first;
                    for value in values {
                        add(tick, value);
                        tick += 1;
                    }
                    ended = Some(tick);
                },
            );
            if let Some(tick) = ended.filter(|tick| *tick <= newest) {
                add(tick, f64::from_bits(STALE));
            }
            points
        });
        parts.collect()
    }

    /// Copies the native buckets and sums of a series from `from` to `to`, or the newest of these
    /// alone.
    pub(super) fn read_native(
        &mut self,
        id: SeriesId,
        (from, to): (i64, i64),
        newest_only: bool,
    ) -> Vec<(i64, HistogramSnapshot)> {
        let begin = self.times.partition_point(|time| *time < from) as u64;
        let end = self.times.partition_point(|time| *time <= to) as u64;
        let Some(place) = self.places.get(&id).filter(|_| begin < end) else {
            return Vec::new();
        };
        let newest = self.first + self.times.len() as u64 - 1;
        let Some(series) = self.series[*place].as_mut() else {
            return Vec::new();
        };
        series.read = Some(newest);
        let Some(native) = &series.native else {
            return Vec::new();
        };
        let range = self.first + begin..=self.first + end - 1;
        let last = native
            .newest()
            .filter(|(tick, _)| newest_only && range.contains(tick));
        // From one tick further back, for what ended there ends in the range.
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
    /// Without decoding anything, for a time that is not before the last tick; false for another.
    pub(super) fn newest(
        &mut self,
        id: SeriesId,
        (from, to): (i64, i64),
        into: &mut Vec<(i64, f64)>,
    ) -> bool {
        if self.times.back().is_none_or(|last| *last > to) {
            return false;
        }
        let Some(place) = self.places.get(&id) else {
            return true;
        };
        let Some(series) = self.series[*place].as_mut() else {
            return true;
        };
        let newest = self.first + self.times.len() as u64 - 1;
        series.read = Some(newest);
        for stream in &series.streams {
            let Some((tick, value)) = stream.newest() else {
                return false;
            };
            // What has no value at the last tick ended after its own.
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

    pub(super) fn ticks(&self, after: i64, until: i64, into: &mut Vec<i64>) {
        let begin = self.times.partition_point(|time| *time <= after);
        let end = self.times.partition_point(|time| *time <= until);
        into.clear();
        into.extend(self.times.range(begin.min(end)..end));
    }

    pub(super) fn newest_each(
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
        // Series are mostly asked for in the order in which they are.
        let mut known: Option<(SeriesId, usize)> = None;
        for (id, part, parts) in wanted {
            let place = match known {
                Some((last, place)) if last == id => Some(place),
                Some((_, place)) if self.is_at(id, place + 1) => Some(place + 1),
                _ => self.places.get(&id).copied(),
            };
            known = place.map(|place| (id, place));
            let series = place.and_then(|place| self.series.get_mut(place)?.as_mut());
            let series = series.filter(|series| series.streams.len() == parts);
            let newest_value = series.and_then(|series| {
                series.read = Some(newest);
                series.streams.get(part)?.newest()
            });
            let point = newest_value.and_then(|(tick, value)| {
                // What has no value at the last tick ended after its own.
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

    fn is_at(&self, id: SeriesId, place: usize) -> bool {
        let series = self.series.get(place).and_then(Option::as_ref);
        series.is_some_and(|series| series.id == id)
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            series: self.series.iter().flatten().count(),
            ticks: self.times.len(),
            bytes: self.bytes,
            evicted: self.evicted,
        }
    }
}
