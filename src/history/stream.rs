//! The values of one series over time: full chunks, and a growing one.

use super::bits::reserve;
use super::chunk::{FULL, Open, Values};

/// The overhead of an allocation, in bytes.
pub(super) const ALLOCATION: usize = 16;

/// Values at consecutive ticks. A gap starts a new chunk.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The full chunks, followed by the bits of the growing one. A full chunk is the number of ticks
    /// without a value before it, the number of values, the number of bytes, and the bytes.
    bytes: Vec<u8>,
    /// The number of bytes of the full chunks.
    full: u32,
    /// The tick from which the gap before the first full chunk is counted.
    begin: u64,
    /// The tick of the first value in the growing chunk.
    from: u64,
    open: Open,
}

/// Iterates over full chunks: the tick of the first value, the number of values, and the bytes.
struct Chunks<'a> {
    bytes: &'a [u8],
    /// The tick after the previous chunk.
    end: u64,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = (u64, u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.bytes;
        let from = self.end + read_number(&mut rest)?;
        let (count, mut rest) = rest.split_first()?;
        let length = usize::try_from(read_number(&mut rest)?).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        self.bytes = rest;
        self.end = from + u64::from(*count);
        Some((from, *count, bytes))
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
        let end = self.from + u64::from(self.open.count());
        if self.open.count() == FULL || (self.open.count() > 0 && end != tick) {
            self.seal();
        }
        if self.open.count() == 0 {
            self.from = tick;
        }
        self.open.push(value, &mut self.bytes, self.full as usize);
        self.size().cast_signed() - before.cast_signed()
    }

    /// Compresses the growing chunk and starts a new one.
    fn seal(&mut self) {
        let open = std::mem::take(&mut self.open);
        let full = self.full as usize;
        let sealed = open.seal(self.bytes.get(full..).unwrap_or_default());
        let end = if let Some((from, count, _)) = self.chunks().last() {
            from + u64::from(count)
        } else {
            self.begin = self.from;
            self.from
        };
        let mut head = Vec::with_capacity(16);
        write_number(self.from - end, &mut head);
        head.push(open.count());
        write_number(sealed.len() as u64, &mut head);
        self.bytes.truncate(full);
        reserve(&mut self.bytes, head.len() + sealed.len());
        self.bytes.extend(head);
        self.bytes.extend(sealed);
        self.full = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
    }

    fn chunks(&self) -> Chunks<'_> {
        Chunks {
            bytes: self.bytes.get(..self.full as usize).unwrap_or_default(),
            end: self.begin,
        }
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
        let open = (self.open.count() > 0).then_some(self.from);
        let full = self.chunks().next();
        full.map(|(from, ..)| from).or(open)
    }

    /// The newest value and its tick, unless only full chunks are left.
    pub(super) fn newest(&self) -> Option<(u64, f64)> {
        let value = self.open.last()?;
        Some((self.from + u64::from(self.open.count()) - 1, value))
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
        let end = |(from, count, _): (u64, u8, &[u8])| from + u64::from(count);
        while self.chunks().next().map(end).is_some_and(|end| end <= tick) {
            self.drop_first();
        }
        if self.from + u64::from(self.open.count()) <= tick {
            self.drop_open();
        }
        // Some spare bytes stay for the chunks to come.
        let spare = self.bytes.capacity() - self.bytes.len();
        if self.bytes.is_empty() || spare > self.bytes.len() / 2 + 32 {
            self.bytes.shrink_to_fit();
        }
        before.saturating_sub(self.size())
    }

    /// Drops the first full chunk. Returns its number of values.
    fn drop_first(&mut self) -> Option<u8> {
        let mut chunks = self.chunks();
        let (_, count, _) = chunks.next()?;
        let (end, left) = (chunks.end, chunks.bytes.len());
        let dropped = self.full as usize - left;
        self.bytes.drain(..dropped);
        self.full = u32::try_from(left).unwrap_or(u32::MAX);
        self.begin = end;
        Some(count)
    }

    /// Drops the growing chunk. Returns its number of values.
    fn drop_open(&mut self) -> u8 {
        self.bytes.truncate(self.full as usize);
        std::mem::take(&mut self.open).count()
    }

    /// Calls `visit` with each chunk that has values from tick `from` to tick `to`: the tick of the
    /// first value, and the values.
    pub(super) fn each(&self, from: u64, to: u64, mut visit: impl FnMut(u64, Values<'_>)) {
        let meant = |first: u64, count: u8| first <= to && first + u64::from(count) > from;
        for (first, count, bytes) in self.chunks() {
            if meant(first, count) {
                visit(first, Values::new(bytes, count));
            }
        }
        if meant(self.from, self.open.count()) {
            let own = self.bytes.get(self.full as usize..).unwrap_or_default();
            visit(self.from, self.open.values(own));
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
}
