//! The values of one series over time: full chunks, and a growing one.

use std::collections::VecDeque;

use super::chunk::{FULL, Open, Values};

/// The memory of a chunk besides its bytes: its fields and the overhead of an allocation.
const OVERHEAD: usize = size_of::<Sealed>() + 16;

/// Values at consecutive ticks. A gap starts a new chunk.
#[derive(Debug, Default)]
pub(super) struct Stream {
    sealed: VecDeque<Sealed>,
    open: Open,
    /// The tick of the first value in the growing chunk.
    from: u64,
}

#[derive(Debug)]
struct Sealed {
    from: u64,
    count: u32,
    bytes: Box<[u8]>,
}

impl Sealed {
    fn size(&self) -> usize {
        self.bytes.len() + OVERHEAD
    }
}

impl Stream {
    /// Adds the value of a later tick. Returns the growth in bytes, which is negative when a chunk
    /// becomes full.
    pub(super) fn push(&mut self, tick: u64, value: f64) -> isize {
        let before = self.open.size();
        let mut grown = 0;
        let end = self.from + u64::from(self.open.count());
        if self.open.count() == FULL || (self.open.count() > 0 && end != tick) {
            grown += self.seal();
        }
        if self.open.count() == 0 {
            self.from = tick;
        }
        self.open.push(value);
        grown + self.open.size().cast_signed() - before.cast_signed()
    }

    /// Compresses the growing chunk and starts a new one. Returns the size of the result.
    fn seal(&mut self) -> isize {
        let open = std::mem::take(&mut self.open);
        let sealed = Sealed {
            from: self.from,
            count: open.count(),
            bytes: open.seal(),
        };
        let size = sealed.size();
        self.sealed.push_back(sealed);
        size.cast_signed()
    }

    /// The memory of its values, in bytes.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.sealed.iter().map(Sealed::size).sum::<usize>() + self.open.size()
    }

    /// The first tick kept.
    pub(super) fn first(&self) -> Option<u64> {
        let open = (self.open.count() > 0).then_some(self.from);
        self.sealed.front().map(|sealed| sealed.from).or(open)
    }

    /// The newest value and its tick, unless only full chunks are left.
    pub(super) fn newest(&self) -> Option<(u64, f64)> {
        let value = self.open.last()?;
        Some((self.from + u64::from(self.open.count()) - 1, value))
    }

    /// Drops the oldest full chunk, or else the growing one. Returns the numbers of bytes and
    /// values dropped.
    pub(super) fn drop_oldest(&mut self) -> (usize, u32) {
        if let Some(sealed) = self.sealed.pop_front() {
            return (sealed.size(), sealed.count);
        }
        let open = std::mem::take(&mut self.open);
        (open.size(), open.count())
    }

    /// Drops the chunks that end before a tick. Returns the number of bytes freed.
    pub(super) fn drop_before(&mut self, tick: u64) -> usize {
        let mut bytes = 0;
        let old = |sealed: &Sealed| sealed.from + u64::from(sealed.count) <= tick;
        while self.sealed.front().is_some_and(old) {
            bytes += self.sealed.pop_front().map_or(0, |sealed| sealed.size());
        }
        let end = self.from + u64::from(self.open.count());
        if self.open.count() > 0 && end <= tick {
            bytes += std::mem::take(&mut self.open).size();
        }
        bytes
    }

    /// Calls `visit` with each chunk that has values from tick `from` to tick `to`: the tick of the
    /// first value, and the values.
    pub(super) fn each(&self, from: u64, to: u64, mut visit: impl FnMut(u64, Values<'_>)) {
        let meant = |first: u64, count: u32| first <= to && first + u64::from(count) > from;
        for sealed in &self.sealed {
            if meant(sealed.from, sealed.count) {
                visit(sealed.from, Values::new(&sealed.bytes, sealed.count));
            }
        }
        if meant(self.from, self.open.count()) {
            visit(self.from, self.open.values());
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
            (all(&stream), FULL, Some(360))
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
