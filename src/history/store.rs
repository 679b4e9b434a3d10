//! Stores all series by id and the times of the ticks, within limits of time and memory.

mod read;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use super::native::{Bucket, Head, Native};
use super::stream::Stream;
use super::{Known, Stats};
use crate::registry::SeriesId;

/// The interval of dropping old values, in ticks.
const SWEEP: u64 = 16;

/// The number of ticks for which a read series is kept before others: an hour at a step of 15 s.
const READ: u64 = 240;

/// The memory of a series besides its values and its text: its entries in the lists here.
const OVERHEAD: usize = size_of::<Series>() + size_of::<(SeriesId, usize)>() + 16;

#[derive(Debug)]
struct Series {
    id: SeriesId,
    /// The exposed name and the rendered labels, once known.
    names: Option<(Arc<str>, Arc<str>)>,
    /// The upper bounds of a histogram; each classic bucket and the sum are a stream.
    bounds: Option<Arc<[f64]>>,
    streams: Box<[Stream]>,
    native: Option<Box<Native>>,
    /// The tick of the last read.
    read: Option<u64>,
}

/// A sampled value, with as many numbers as its kind has.
#[derive(Debug)]
pub(super) struct Sampled {
    pub(super) id: SeriesId,
    pub(super) bounds: Option<Arc<[f64]>>,
    pub(super) numbers: usize,
    /// For native buckets: the other numbers, and the number of buckets.
    pub(super) native: Option<(Head, usize)>,
}

impl Series {
    fn is_read(&self, now: u64) -> bool {
        self.read.is_some_and(|tick| tick + READ > now)
    }

    /// The first tick kept in any part.
    fn first(&self) -> Option<u64> {
        let native = self.native.iter().filter_map(|native| native.first());
        self.streams
            .iter()
            .filter_map(Stream::first)
            .chain(native)
            .min()
    }

    /// The memory besides its values, in bytes.
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
    /// The indices of the series in the order of the last tick, usually that of the next.
    order: Vec<usize>,
    bytes: usize,
    evicted: u64,
    /// Whether any series has no name yet.
    pub(super) unnamed: bool,
    /// The cached result of [`known`](Store::known).
    known: Option<Arc<[Known]>>,
    /// The cached result of [`known_beside`](Store::known_beside), with its two inputs.
    beside: Option<[Arc<[Known]>; 3]>,
}

impl Store {
    /// The number of the next tick.
    fn next(&self) -> u64 {
        self.first + self.times.len() as u64
    }

    /// Whether at least a step has passed since the last tick.
    pub(super) fn is_due(&self, time: i64, step: Duration) -> bool {
        let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
        let last = self.times.back();
        last.is_none_or(|last| time.saturating_sub(*last) >= step)
    }

    /// Whether any tick is at or before a time.
    pub(super) fn reaches(&self, time: i64) -> bool {
        self.times.front().is_some_and(|first| *first <= time)
    }

    /// Adds a tick, unless its time is not after that of the last one.
    pub(super) fn tick(
        &mut self,
        time: i64,
        (sampled, numbers, buckets): (&[Sampled], &[f64], &[(Bucket, f64)]),
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

    /// The index of a sample's series, which is created if needed.
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

    /// Sets the name of a series that has none yet.
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

    /// Drops a series.
    pub(super) fn forget(&mut self, id: SeriesId) {
        let Some(place) = self.places.remove(&id) else {
            return;
        };
        if let Some(mut series) = self.series[place].take() {
            for stream in &mut series.streams {
                self.bytes -= stream.drop_before(u64::MAX).min(self.bytes);
            }
            if let Some(native) = &mut series.native {
                self.bytes -= native.drop_before(u64::MAX).min(self.bytes);
            }
            self.bytes -= series.frame().min(self.bytes);
            self.known = None;
            self.free.push(place);
        }
    }

    /// The series of another list, followed by those that only this one has. Until either changes,
    /// the same list is returned.
    pub(super) fn known_beside(&mut self, others: &Arc<[Known]>) -> Arc<[Known]> {
        let own = self.known();
        if let Some([before, mine, both]) = &self.beside
            && Arc::ptr_eq(before, others)
            && Arc::ptr_eq(mine, &own)
        {
            return Arc::clone(both);
        }
        let there: HashSet<_> = others.iter().map(|known| known.id).collect();
        let more = own.iter().filter(|known| !there.contains(&known.id));
        let both: Arc<[Known]> = others.iter().chain(more).cloned().collect();
        self.beside = Some([Arc::clone(others), own, Arc::clone(&both)]);
        both
    }

    /// Lists the series that have a name.
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

    /// Drops values beyond the limits of time and memory.
    pub(super) fn bound(&mut self, keep: Duration, max_bytes: usize) {
        let keep = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
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
        if self.bytes > max_bytes {
            // A little more than needed, so that the limit is not reached again at once.
            let goal = max_bytes - max_bytes / 16;
            while self.bytes > goal && self.evict() {}
            self.forget_empty();
        }
    }

    /// Drops the oldest chunks: of series that are not read, or else of all. Returns false if
    /// nothing is left to drop.
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

    /// Removes series without values.
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

    pub(super) fn stats(&self) -> Stats {
        Stats {
            series: self.series.iter().flatten().count(),
            ticks: self.times.len(),
            bytes: self.bytes,
            evicted: self.evicted,
        }
    }
}
