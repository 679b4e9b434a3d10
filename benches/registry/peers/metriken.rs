//! Counters and histograms with a shard for each thread, of which the counts are whole numbers and
//! the values too: a duration is handed over in nanoseconds.

use metriken::{Counter, ShardedCounterGroup, ShardedCounterHistogram};

use crate::work::{Run, counting, counting_on_two_threads, observing, observing_on_two_threads};

/// Eight buckets for each power of two, about as many as `NATIVE_GROWTH` asks for, up to 2^40 ns.
fn histogram() -> ShardedCounterHistogram {
    ShardedCounterHistogram::new(3, 40)
}

fn nanoseconds(seconds: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a duration of at most minutes"
    )]
    let whole = (seconds * 1e9) as u64;
    whole
}

pub(crate) fn handle() -> Run {
    let counter = Counter::new();
    counting(move || {
        counter.increment();
    })
}

pub(crate) fn observe_native() -> Run {
    let histogram = histogram();
    observing(move |value| histogram.increment(nanoseconds(value)).unwrap())
}

pub(crate) fn two_counters() -> Run {
    counting_on_two_threads(ShardedCounterGroup::new(1), |counters| {
        counters.increment(0);
    })
}

pub(crate) fn two_native_histograms() -> Run {
    observing_on_two_threads(histogram(), |histogram, value| {
        histogram.increment(nanoseconds(value)).unwrap();
    })
}
