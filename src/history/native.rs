//! A native histogram over time: a stream for each of its numbers and for each bucket.
//!
//! A bucket has a stream once it has observations, and no values at ticks without any. After a
//! change of the schema the same indices are other buckets: the schema is one of the streams.

use super::chunk::Values;
use super::stream::Stream;
use crate::registry::{HistogramRef, HistogramSnapshot, NativeBuckets};

/// The side of zero of a bucket, and its index.
pub(super) type Bucket = (Side, i32);

/// The side of zero of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Below,
    Above,
}

/// The numbers besides the buckets: schema, zero threshold and zero count, sum.
pub(super) type Head = [f64; 4];

/// The memory of a bucket besides its values.
const BUCKET: usize = size_of::<(Bucket, Stream)>();

/// The values of a native histogram at consecutive ticks.
#[derive(Debug, Default)]
pub(super) struct Native {
    head: [Stream; 4],
    /// Sorted by side and index.
    buckets: Vec<(Bucket, Stream)>,
}

/// Splits a histogram with native buckets into numbers; stores the buckets in `buckets`.
pub(super) fn split(
    histogram: &HistogramRef<'_>,
    buckets: &mut Vec<(Bucket, f64)>,
) -> Option<Head> {
    let native = histogram.native?;
    for (side, list) in [
        (Side::Below, &native.negative),
        (Side::Above, &native.positive),
    ] {
        let filled = list.iter().filter(|(_, count)| *count > 0);
        buckets.extend(filled.map(|(index, count)| ((side, *index), *count as f64)));
    }
    Some([
        f64::from(native.schema),
        native.zero_threshold,
        native.zero_count as f64,
        histogram.sum,
    ])
}

impl Native {
    /// Adds the values of a tick, with the buckets sorted by side and index. Returns the growth in
    /// bytes, which may be negative.
    pub(super) fn push(&mut self, tick: u64, head: &Head, buckets: &[(Bucket, f64)]) -> isize {
        let mut grown = 0;
        for (stream, value) in self.head.iter_mut().zip(head) {
            grown += stream.push(tick, *value);
        }
        let mut at = 0;
        for (bucket, count) in buckets {
            while self
                .buckets
                .get(at)
                .is_some_and(|(known, _)| known < bucket)
            {
                at += 1;
            }
            if self
                .buckets
                .get(at)
                .is_none_or(|(known, _)| known != bucket)
            {
                self.buckets.insert(at, (*bucket, Stream::default()));
                grown += BUCKET.cast_signed();
            }
            if let Some((_, stream)) = self.buckets.get_mut(at) {
                grown += stream.push(tick, *count);
            }
        }
        grown
    }

    /// The first tick kept.
    pub(super) fn first(&self) -> Option<u64> {
        self.head[0].first()
    }

    /// Drops the chunks that end before a tick. Returns the number of bytes freed.
    pub(super) fn drop_before(&mut self, tick: u64) -> usize {
        let head = self.head.iter_mut();
        head.map(|stream| stream.drop_before(tick)).sum::<usize>() + self.drop_unheaded()
    }

    /// Drops the oldest chunks. Returns the numbers of bytes and histograms dropped.
    pub(super) fn drop_oldest(&mut self) -> (usize, u32) {
        let (mut bytes, mut count) = (0, 0);
        for stream in &mut self.head {
            let dropped = stream.drop_oldest();
            (bytes, count) = (bytes + dropped.0, dropped.1);
        }
        (bytes + self.drop_unheaded(), count)
    }

    /// Drops the values of buckets at ticks whose other numbers are gone.
    fn drop_unheaded(&mut self) -> usize {
        let first = self.first().unwrap_or(u64::MAX);
        let mut bytes = 0;
        self.buckets.retain_mut(|(_, stream)| {
            bytes += stream.drop_before(first);
            let empty = stream.first().is_none();
            bytes += if empty { BUCKET } else { 0 };
            !empty
        });
        bytes
    }

    /// The histogram of the last tick, and that tick.
    pub(super) fn newest(&self) -> Option<(u64, HistogramSnapshot)> {
        let mut head = Head::default();
        let mut newest = None;
        for (stream, value) in self.head.iter().zip(&mut head) {
            let (tick, last) = stream.newest()?;
            *value = last;
            newest = Some(tick);
        }
        let mut native = begun(&head);
        for (bucket, stream) in &self.buckets {
            if let Some((tick, count)) = stream.newest()
                && Some(tick) == newest
            {
                add(&mut native, *bucket, count);
            }
        }
        Some((newest?, HistogramSnapshot::native(native, head[3])))
    }

    /// The histograms from tick `from` to tick `to`, inclusive, with their ticks.
    pub(super) fn between(&self, from: u64, to: u64) -> Vec<(u64, HistogramSnapshot)> {
        let mut heads: Vec<(u64, Head)> = Vec::new();
        let within = |tick: u64| (from..=to).contains(&tick);
        let each = |stream: &Stream, visit: &mut dyn FnMut(u64, f64)| {
            stream.each(from, to, |first, values: Values<'_>| {
                let values = (first..).zip(values);
                values
                    .filter(|(tick, _)| within(*tick))
                    .for_each(|(tick, value)| visit(tick, value));
            });
        };
        for (part, stream) in self.head.iter().enumerate() {
            let mut at = 0;
            each(stream, &mut |tick, value| {
                if part == 0 {
                    heads.push((tick, Head::default()));
                }
                if let Some((_, head)) = heads.get_mut(at) {
                    head[part] = value;
                }
                at += 1;
            });
        }
        let mut natives: Vec<NativeBuckets> = heads.iter().map(|(_, head)| begun(head)).collect();
        for (bucket, stream) in &self.buckets {
            let mut at = 0;
            each(stream, &mut |tick, count| {
                at += heads[at..].partition_point(|(known, _)| *known < tick);
                if heads.get(at).is_some_and(|(known, _)| *known == tick) {
                    add(&mut natives[at], *bucket, count);
                }
            });
        }
        let both = heads.into_iter().zip(natives);
        both.map(|((tick, head), native)| (tick, HistogramSnapshot::native(native, head[3])))
            .collect()
    }
}

fn begun([schema, zero_threshold, zero_count, _]: &Head) -> NativeBuckets {
    #[expect(clippy::cast_possible_truncation, reason = "from -4 to 8")]
    let schema = *schema as i8;
    NativeBuckets {
        zero_count: whole(*zero_count),
        ..NativeBuckets::new(schema, *zero_threshold)
    }
}

fn add(native: &mut NativeBuckets, (side, index): Bucket, count: f64) {
    let list = match side {
        Side::Below => &mut native.negative,
        Side::Above => &mut native.positive,
    };
    list.push((index, whole(count)));
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it was a count"
)]
fn whole(count: f64) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A few buckets of a small range, so that they come and go.
    fn any_buckets() -> impl Strategy<Value = Vec<(i32, u64)>> {
        prop::collection::btree_map(-6_i32..6, 1_u64..1_000, 0..6)
            .prop_map(|buckets| buckets.into_iter().collect())
    }

    fn any_histogram() -> impl Strategy<Value = HistogramSnapshot> {
        let buckets = (any_buckets(), any_buckets());
        (-4_i8..=8, 0_u64..9, 0.0..1.0_f64, any::<f64>(), buckets).prop_map(
            |(schema, zero_count, zero_threshold, sum, (positive, negative))| {
                let native = NativeBuckets {
                    schema,
                    zero_threshold,
                    zero_count,
                    positive,
                    negative,
                };
                HistogramSnapshot::native(native, sum)
            },
        )
    }

    /// With the bits of each sum, which may be NaN.
    fn plain(all: Vec<(u64, HistogramSnapshot)>) -> Vec<(u64, u64, Option<NativeBuckets>)> {
        let all = all.into_iter();
        all.map(|(tick, snapshot)| (tick, snapshot.sum.to_bits(), snapshot.native))
            .collect()
    }

    fn push(native: &mut Native, tick: u64, histogram: &HistogramSnapshot) -> isize {
        let mut buckets = Vec::new();
        let head = split(&histogram.as_ref(), &mut buckets).unwrap();
        native.push(tick, &head, &buckets)
    }

    fn size(native: &Native) -> usize {
        let buckets = native.buckets.iter();
        let buckets = buckets.map(|(_, stream)| stream.size() + BUCKET);
        buckets.chain(native.head.iter().map(Stream::size)).sum()
    }

    proptest! {
        // Long enough for several chunks, so with fewer cases.
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn histograms_come_back_and_their_size_is_counted(
            histograms in prop::collection::vec((1_u64..3, any_histogram()), 1..300),
            (from, to) in (0_u64..500, 0_u64..500),
            old in 0_u64..500,
        ) {
            let mut native = Native::default();
            let (mut tick, mut grown) = (0, 0_isize);
            let mut all = Vec::new();
            for (step, histogram) in histograms {
                tick += step;
                grown += push(&mut native, tick, &histogram);
                all.push((tick, histogram));
            }
            prop_assert_eq!(grown, size(&native).cast_signed());
            let newest = native.newest().map(|newest| plain(vec![newest]));
            prop_assert_eq!(newest, all.last().cloned().map(|last| plain(vec![last])));
            let mut wanted = all.clone();
            wanted.retain(|(tick, _)| (from..=to).contains(tick));
            prop_assert_eq!(plain(native.between(from, to)), plain(wanted));
            // The remaining histograms are complete.
            grown -= native.drop_before(old).cast_signed();
            grown -= native.drop_oldest().0.cast_signed();
            prop_assert_eq!(grown, size(&native).cast_signed());
            let first = native.first().unwrap_or(u64::MAX);
            all.retain(|(tick, _)| *tick >= first);
            prop_assert_eq!(plain(native.between(0, u64::MAX)), plain(all));
        }
    }
}
