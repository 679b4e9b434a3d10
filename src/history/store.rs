//! Stores all series by id and the times of the ticks, within limits of time and memory.

mod read;

use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasher;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashTable;

use super::known::{Known, Stats};
use super::native::{Bucket, Head, Native};
use super::stream::{ALLOCATION, Stream};
use crate::registry::SeriesId;
use crate::util::millis;

/// The interval of dropping old values, in ticks.
const SWEEP: u64 = 16;

/// The number of ticks for which a read series is kept before others: an hour at a step of 15 s.
const READ: u64 = 240;

/// The memory of a series besides its values and its text: its entries in the list of series, which
/// grows by an eighth, in the hash table, which is half full after it has grown, in the order and in
/// the buffer of a tick; and the header of its text.
const OVERHEAD: usize = size_of::<Series>() * 9 / 8
    + 3 * (size_of::<u32>() + 1) / 2
    + size_of::<u32>()
    + size_of::<Sampled>()
    + ALLOCATION
    + 2 * size_of::<usize>();

#[derive(Debug)]
struct Series {
    id: SeriesId,
    /// The exposed name and the rendered labels, once known.
    names: Option<(Arc<str>, Arc<str>)>,
    parts: Parts,
    /// The tick until which it counts as read.
    read_until: u64,
}

/// The values of a series.
#[derive(Debug)]
enum Parts {
    Number(Stream),
    Histogram(Box<Parted>),
}

/// A histogram.
#[derive(Debug)]
struct Parted {
    /// The upper bounds of the classic buckets.
    bounds: Option<Arc<[f64]>>,
    /// A stream for each classic bucket, and one for the sum.
    streams: Box<[Stream]>,
    native: Option<Native>,
}

impl Parts {
    fn streams(&self) -> &[Stream] {
        match self {
            Self::Number(stream) => std::slice::from_ref(stream),
            Self::Histogram(histogram) => &histogram.streams,
        }
    }

    fn streams_mut(&mut self) -> &mut [Stream] {
        match self {
            Self::Number(stream) => std::slice::from_mut(stream),
            Self::Histogram(histogram) => &mut histogram.streams,
        }
    }

    fn native(&self) -> Option<&Native> {
        match self {
            Self::Number(_) => None,
            Self::Histogram(histogram) => histogram.native.as_ref(),
        }
    }

    fn native_mut(&mut self) -> Option<&mut Native> {
        match self {
            Self::Number(_) => None,
            Self::Histogram(histogram) => histogram.native.as_mut(),
        }
    }

    fn bounds(&self) -> Option<Arc<[f64]>> {
        match self {
            Self::Number(_) => None,
            Self::Histogram(histogram) => histogram.bounds.clone(),
        }
    }

    /// Drops chunks that end before a tick. Returns the number of freed bytes.
    fn drop_before(&mut self, tick: u64) -> usize {
        let streams = self.streams_mut().iter_mut();
        let bytes: usize = streams.map(|stream| stream.drop_before(tick)).sum();
        let native = self.native_mut();
        bytes + native.map_or(0, |native| native.drop_before(tick))
    }
}

/// A sampled value.
#[derive(Debug)]
pub(super) struct Sampled {
    id: SeriesId,
    /// The number of its numbers: one, or more for a histogram with classic buckets, or none for a
    /// histogram without them.
    numbers: u32,
    /// For a histogram with native buckets, one more than the number of filled ones.
    native: Option<NonZero<u32>>,
}

impl Sampled {
    /// The numbers of numbers and, for a histogram with native buckets, of filled ones.
    pub(super) fn new(id: SeriesId, numbers: usize, native: Option<usize>) -> Self {
        let few = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            id,
            numbers: few(numbers),
            native: native.and_then(|filled| NonZero::new(few(filled).saturating_add(1))),
        }
    }

    /// For a histogram with native buckets, the number of filled ones.
    fn filled(&self) -> Option<usize> {
        self.native.map(|more| more.get() as usize - 1)
    }
}

/// The values of one tick, in the order of the series.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub(super) sampled: Vec<Sampled>,
    pub(super) numbers: Vec<f64>,
    /// For histograms with classic buckets, in order.
    pub(super) bounds: Vec<Arc<[f64]>>,
    /// For native histograms, concatenated.
    pub(super) heads: Vec<Head>,
    pub(super) buckets: Vec<(Bucket, f64)>,
}

impl Buffer {
    pub(super) fn clear(&mut self) {
        self.sampled.clear();
        self.numbers.clear();
        self.bounds.clear();
        self.heads.clear();
        self.buckets.clear();
    }
}

impl Series {
    fn read_at(&mut self, tick: u64) {
        self.read_until = tick + READ;
    }

    fn is_read(&self, now: u64) -> bool {
        self.read_until > now
    }

    /// The first tick kept in any part.
    fn first(&self) -> Option<u64> {
        let native = self.parts.native().and_then(Native::first);
        let streams = self.parts.streams().iter();
        streams.filter_map(Stream::first).chain(native).min()
    }

    /// The memory besides its values, in bytes.
    fn frame(&self) -> usize {
        let text = self.names.as_ref().map_or(0, |(_, labels)| labels.len());
        let numbers = size_of_val(self.parts.streams()) / size_of::<Stream>() * size_of::<f64>();
        let parts = match &self.parts {
            Parts::Number(_) => 0,
            Parts::Histogram(parted) => {
                size_of::<Parted>() + size_of_val(&*parted.streams) + 2 * ALLOCATION
            }
        };
        OVERHEAD + text + numbers + parts
    }
}

#[derive(Debug, Default)]
pub(super) struct Store {
    times: VecDeque<i64>,
    /// The number of the first tick in `times`.
    first: u64,
    series: Vec<Option<Series>>,
    free: Vec<u32>,
    /// Indices in `series`, by the hash of the id.
    places: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    /// The indices of the series in the order of the last tick, usually that of the next.
    order: Vec<u32>,
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
        let last = self.times.back();
        last.is_none_or(|last| time.saturating_sub(*last) >= millis(step))
    }

    /// The time of the first tick.
    pub(super) fn first_time(&self) -> Option<i64> {
        self.times.front().copied()
    }

    /// Whether any tick is at or before a time.
    pub(super) fn reaches(&self, time: i64) -> bool {
        self.first_time().is_some_and(|first| first <= time)
    }

    /// Adds a tick, unless its time is not after that of the last one.
    pub(super) fn tick(&mut self, time: i64, read: &Buffer) {
        if self.times.back().is_some_and(|last| *last >= time) {
            return;
        }
        let tick = self.next();
        self.times.push_back(time);
        let (mut numbers, mut buckets) = (&*read.numbers, &*read.buckets);
        let (mut bounds, mut heads) = (read.bounds.iter(), read.heads.iter());
        for (at, sampled) in read.sampled.iter().enumerate() {
            let filled = sampled.filled().unwrap_or(0);
            let (Some((mine, other_numbers)), Some((my_buckets, other_buckets))) = (
                numbers.split_at_checked(sampled.numbers as usize),
                buckets.split_at_checked(filled),
            ) else {
                break;
            };
            (numbers, buckets) = (other_numbers, other_buckets);
            let bounds = (sampled.numbers > 1).then(|| bounds.next()).flatten();
            let head = sampled.native.and_then(|_| heads.next());
            let place = self.place(at, sampled, bounds);
            let Some(series) = self.series.get_mut(place as usize).and_then(Option::as_mut) else {
                continue;
            };
            let mut grown = 0;
            for (stream, value) in series.parts.streams_mut().iter_mut().zip(mine) {
                grown += stream.push(tick, *value);
            }
            if let (Some(native), Some(head)) = (series.parts.native_mut(), head) {
                grown += native.push(tick, head, my_buckets);
            }
            self.bytes = self.bytes.saturating_add_signed(grown);
        }
        self.order.truncate(read.sampled.len());
    }

    /// The index of a series.
    fn place_of(&self, id: SeriesId) -> Option<u32> {
        let is = |place: &u32| self.get(*place).is_some_and(|series| series.id == id);
        self.places.find(self.hasher.hash_one(id), is).copied()
    }

    fn get(&self, place: u32) -> Option<&Series> {
        self.series.get(place as usize)?.as_ref()
    }

    fn find(&mut self, id: SeriesId) -> Option<&mut Series> {
        let place = self.place_of(id)?;
        self.series.get_mut(place as usize)?.as_mut()
    }

    /// The index of a sample's series, which is created if needed.
    fn place(&mut self, at: usize, sampled: &Sampled, bounds: Option<&Arc<[f64]>>) -> u32 {
        if let Some(place) = self.order.get(at)
            && self
                .get(*place)
                .is_some_and(|series| series.id == sampled.id)
        {
            return *place;
        }
        let known = self.place_of(sampled.id);
        let place = known.unwrap_or_else(|| self.make(sampled, bounds));
        match self.order.get_mut(at) {
            Some(there) => *there = place,
            None => self.order.push(place),
        }
        place
    }

    fn make(&mut self, sampled: &Sampled, bounds: Option<&Arc<[f64]>>) -> u32 {
        let parts = if sampled.numbers == 1 && sampled.native.is_none() {
            Parts::Number(Stream::default())
        } else {
            Parts::Histogram(Box::new(Parted {
                bounds: bounds.cloned(),
                streams: (0..sampled.numbers).map(|_| Stream::default()).collect(),
                native: sampled.native.map(|_| Native::default()),
            }))
        };
        let series = Series {
            id: sampled.id,
            names: None,
            parts,
            read_until: 0,
        };
        self.unnamed = true;
        self.bytes += series.frame();
        let place = self.free.pop().unwrap_or_else(|| {
            if self.series.len() == self.series.capacity() {
                self.series.reserve_exact(self.series.len() / 8 + 4);
            }
            self.series.push(None);
            u32::try_from(self.series.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(slot) = self.series.get_mut(place as usize) {
            *slot = Some(series);
            let (series, hasher) = (&self.series, &self.hasher);
            let hash = |place: &u32| {
                let of = series.get(*place as usize).and_then(Option::as_ref);
                of.map_or(0, |series| hasher.hash_one(series.id))
            };
            let own = hasher.hash_one(sampled.id);
            self.places.insert_unique(own, place, hash);
        }
        place
    }

    /// Sets the name of a series that has none yet.
    pub(super) fn identify(&mut self, id: SeriesId, name: &Arc<str>, labels: &str) {
        let Some(series) = self.find(id).filter(|series| series.names.is_none()) else {
            return;
        };
        series.names = Some((Arc::clone(name), labels.into()));
        self.bytes += labels.len();
        self.known = None;
    }

    /// Drops a series.
    pub(super) fn forget(&mut self, id: SeriesId) {
        let Some(place) = self.place_of(id) else {
            return;
        };
        let hash = self.hasher.hash_one(id);
        if let Ok(entry) = self.places.find_entry(hash, |known| *known == place) {
            entry.remove();
        }
        let slot = self.series.get_mut(place as usize);
        if let Some(mut series) = slot.and_then(Option::take) {
            let bytes = series.parts.drop_before(u64::MAX) + series.frame();
            self.bytes -= bytes.min(self.bytes);
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
                    bounds: series.parts.bounds(),
                    native: series.parts.native().is_some(),
                })
            });
            known.collect()
        };
        Arc::clone(self.known.get_or_insert_with(list))
    }

    /// Drops values beyond the limits of time and memory.
    pub(super) fn bound(&mut self, keep: Duration, max_bytes: usize) {
        let keep = millis(keep);
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
                let bytes = series.parts.drop_before(self.first);
                self.bytes -= bytes.min(self.bytes);
            }
            self.forget_empty();
        }
        if self.size() > max_bytes {
            // A little more than needed, so that the limit is not reached again at once.
            let goal = max_bytes - max_bytes / 16;
            while self.size() > goal && self.evict() {}
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
            for stream in series.parts.streams_mut() {
                if stream.first().is_some_and(|first| first <= up_to) {
                    let (bytes, count) = stream.drop_oldest();
                    self.bytes -= bytes.min(self.bytes);
                    self.evicted += u64::from(count);
                }
            }
            if let Some(native) = series.parts.native_mut()
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
        let series = self.series.iter().flatten();
        let empty = series.filter(|series| series.first().is_none());
        let empty: Vec<SeriesId> = empty.map(|series| series.id).collect();
        for id in empty {
            self.forget(id);
        }
    }

    /// The memory it takes, in bytes.
    fn size(&self) -> usize {
        // The list of series exists only if there are queries.
        let known = self.known.as_ref().map_or(0, |known| size_of_val(&**known));
        self.bytes + known
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            series: self.series.iter().flatten().count(),
            ticks: self.times.len(),
            bytes: self.size(),
            evicted: self.evicted,
        }
    }
}
