//! The values of one series over time: full chunks, and a growing one.

use super::bits::reserve;
use super::chunk::{FULL, Open, Values};

/// The overhead of an allocation, in bytes.
pub(super) const ALLOCATION: usize = 16;

/// Values at consecutive ticks. A gap starts a new chunk.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The full chunks, followed by the bits of the growing one. A full chunk is the number of
    /// values, the number of ticks without a value after it if [`HAS_GAP`] is added, the number of
    /// bytes, and the bytes.
    bytes: Vec<u8>,
    open: Open,
}

/// Marks the number of values of a chunk that is followed by ticks without a value.
const HAS_GAP: u8 = 0x80;

/// Iterates over full chunks: the number of values, the number of ticks without a value after it, and
/// the bytes.
struct Chunks<'a> {
    bytes: &'a [u8],
}

impl<'a> Iterator for Chunks<'a> {
    type Item = (u8, u64, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (count, mut rest) = self.bytes.split_first()?;
        let has_gap = count & HAS_GAP > 0;
        let gap = if has_gap { read_number(&mut rest)? } else { 0 };
        let length = usize::try_from(read_number(&mut rest)?).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        self.bytes = rest;
        Some((count & !HAS_GAP, gap, bytes))
    }
}

/// Writes seven bits a byte, lowest first; the highest bit marks that more follow.
fn write_number(number: u64, into: &mut Vec<u8>) {
    let mut rest = number;
    while rest >= 0x80 {
        into.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    into.push((rest & 0x7f) as u8);
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

impl Stream {
    /// Adds the value of a later tick. Returns the growth in bytes, which is negative when a chunk
    /// becomes full.
    pub(super) fn push(&mut self, tick: u64, value: f64) -> isize {
        let before = self.size();
        let end = self.open.from() + u64::from(self.open.count());
        if self.open.count() == FULL || (self.open.count() > 0 && end != tick) {
            self.seal(tick.saturating_sub(end));
        }
        if self.open.count() == 0 {
            self.open.begin_at(tick);
        }
        self.open.push(value, &mut self.bytes);
        self.size().cast_signed() - before.cast_signed()
    }

    /// Compresses the growing chunk and starts a new one after a gap.
    fn seal(&mut self, gap: u64) {
        let start = self.open.start();
        let sealed = self.open.seal(self.bytes.get(start..).unwrap_or_default());
        let mut head = Vec::with_capacity(16);
        if gap == 0 {
            head.push(self.open.count());
        } else {
            head.push(self.open.count() | HAS_GAP);
            write_number(gap, &mut head);
        }
        write_number(sealed.len() as u64, &mut head);
        self.bytes.truncate(start);
        reserve(&mut self.bytes, head.len() + sealed.len());
        self.bytes.extend(head);
        self.bytes.extend(sealed);
        self.open = Open::after(self.bytes.len());
    }

    fn chunks(&self) -> Chunks<'_> {
        Chunks {
            bytes: self.bytes.get(..self.open.start()).unwrap_or_default(),
        }
    }

    /// The tick of the first value in a full chunk, or else in the growing one.
    fn begin(&self) -> u64 {
        let ticks = self.chunks().map(|(count, gap, _)| u64::from(count) + gap);
        self.open.from().saturating_sub(ticks.sum())
    }

    /// The memory of its values, in bytes.
    pub(super) fn size(&self) -> usize {
        match self.bytes.capacity() {
            0 => 0,
            capacity => capacity + ALLOCATION,
        }
    }

    /// The first tick kept.
    pub(super) fn first(&self) -> Option<u64> {
        let has_values = self.open.count() > 0 || self.open.start() > 0;
        has_values.then(|| self.begin())
    }

    /// The newest value and its tick, unless only full chunks are left.
    pub(super) fn newest(&self) -> Option<(u64, f64)> {
        let value = self.open.last()?;
        Some((self.open.from() + u64::from(self.open.count()) - 1, value))
    }

    /// Drops the oldest full chunk, or else the growing one. Returns the numbers of bytes and
    /// values dropped.
    pub(super) fn drop_oldest(&mut self) -> (usize, u32) {
        let before = self.size();
        let count = self.drop_first().unwrap_or_else(|| self.drop_open());
        self.bytes.shrink_to_fit();
        (before.saturating_sub(self.size()), count.into())
    }

    /// Drops the chunks that end before a tick. Returns the number of bytes freed.
    pub(super) fn drop_before(&mut self, tick: u64) -> usize {
        let before = self.size();
        let mut begin = self.begin();
        while let Some((count, gap, _)) = self.chunks().next() {
            let end = begin + u64::from(count);
            if end > tick {
                break;
            }
            begin = end + gap;
            self.drop_first();
        }
        if self.open.from() + u64::from(self.open.count()) <= tick {
            self.drop_open();
        }
        let spare = self.bytes.capacity() - self.bytes.len();
        if self.bytes.is_empty() || spare > self.bytes.len() / 8 + 16 {
            self.bytes.shrink_to_fit();
        }
        before.saturating_sub(self.size())
    }

    /// Drops the first full chunk. Returns its number of values.
    fn drop_first(&mut self) -> Option<u8> {
        let mut chunks = self.chunks();
        let (count, ..) = chunks.next()?;
        let left = chunks.bytes.len();
        self.bytes.drain(..self.open.start() - left);
        self.open.moved_to(left);
        Some(count)
    }

    /// Drops the growing chunk. Returns its number of values.
    fn drop_open(&mut self) -> u8 {
        let start = self.open.start();
        self.bytes.truncate(start);
        std::mem::replace(&mut self.open, Open::after(start)).count()
    }

    /// Calls `visit` with each chunk that has values from tick `from` to tick `to`: the tick of the
    /// first value, and the values.
    pub(super) fn each(&self, from: u64, to: u64, mut visit: impl FnMut(u64, Values<'_>)) {
        let meant = |first: u64, count: u8| first <= to && first + u64::from(count) > from;
        let mut first = self.begin();
        for (count, gap, bytes) in self.chunks() {
            if meant(first, count) {
                visit(first, Values::new(bytes, count));
            }
            first += u64::from(count) + gap;
        }
        if meant(self.open.from(), self.open.count()) {
            let own = self.bytes.get(self.open.start()..).unwrap_or_default();
            visit(self.open.from(), self.open.values(own));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(stream: &Stream, from: u64, to: u64) -> Vec<(u64, f64)> {
        let mut out = Vec::new();
        stream.each(from, to, |first, values| {
            out.extend(
                (first..)
                    .zip(values)
                    .filter(|(tick, _)| (from..=to).contains(tick)),
            );
        });
        out
    }

    #[test]
    fn its_size_is_counted_as_it_grows_and_shrinks() {
        let mut stream = Stream::default();
        let mut size = 0_isize;
        for tick in 0..1_000_u32 {
            size += stream.push(tick.into(), f64::from(tick).sqrt());
        }
        let all = |stream: &Stream| stream.size().cast_signed();
        assert_eq!(size, all(&stream));
        assert_eq!(stream.first(), Some(0));
        size -= stream.drop_before(250).cast_signed();
        assert_eq!((size, stream.first()), (all(&stream), Some(240)));
        let (bytes, count) = stream.drop_oldest();
        size -= bytes.cast_signed();
        assert_eq!(
            (size, count, stream.first()),
            (all(&stream), u32::from(FULL), Some(360))
        );
        size -= stream.drop_before(u64::MAX).cast_signed();
        assert_eq!((size, all(&stream), stream.first()), (0, 0, None));
    }

    #[test]
    fn a_tick_that_is_left_out_stays_out() {
        let mut stream = Stream::default();
        for tick in (0..10).chain(12..300) {
            stream.push(tick, 1.0);
        }
        let ticks: Vec<u64> = values(&stream, 5, 200).iter().map(|(t, _)| *t).collect();
        assert_eq!(ticks, (5..10).chain(12..=200).collect::<Vec<_>>());
    }

    #[test]
    fn a_stream_takes_little_besides_its_bytes() {
        assert!(size_of::<Stream>() <= 48, "{}", size_of::<Stream>());
        let mut stream = Stream::default();
        // The steps differ by up to 100: about a byte a value.
        for tick in 0..2_000_u32 {
            stream.push(tick.into(), f64::from(tick * 100 + tick * 7919 % 101));
            stream.drop_before(u64::from(tick.saturating_sub(240)));
            let spare = stream.bytes.capacity() - stream.bytes.len();
            assert!(spare <= 64, "{spare} of {}", stream.bytes.len());
        }
    }
}
