//! Random series: counters with resets, gauges, gaps, stale markers, classic and native
//! histograms.

use selfheal::promql::{FloatHistogram, LabelSet, PointValue, Sample, Series};
use selfheal::util::STALE;

use super::Random;

/// The first sample: 2023-11-14T22:13:20Z, a multiple of a minute no more than by accident.
pub(super) const START: i64 = 1_700_000_000_000;

/// How many ticks there are: one hour and a quarter.
const TICKS: i64 = 300;
const STEP: i64 = 15_000;

const BOUNDS: [&str; 5] = ["0.1", "0.5", "1", "10", "+Inf"];

/// Of histograms without a last bucket, with two of one bound, with bounds that are none, out of
/// order, so that buckets have fewer than smaller ones, below zero, or without any but the last.
const MESSY_BOUNDS: [&[&str]; 7] = [
    &["0.1", "0.5", "1"],
    &["0.1", "1", "1.0", "+Inf"],
    &["0.1", "x", "", "1", "+Inf"],
    &["10", "0.5", "1", "0.1", "+Inf"],
    &["-10", "-1", "0", "3", "+Inf"],
    &["+Inf"],
    &["-1", "-0.5", "+Inf"],
];

pub(super) fn random(random: &mut Random) -> Vec<Series> {
    let mut all = Vec::new();
    for job in ["api", "db"] {
        for instance in ["0", "1", "2"] {
            let labels = |name: &str| {
                let labels = [("__name__", name), ("job", job), ("instance", instance)];
                LabelSet::new(labels)
            };
            for name in ["c_total", "d_total"] {
                all.push(floats(random, labels(name), counter));
            }
            for name in ["g", "g2"] {
                all.push(floats(random, labels(name), gauge));
            }
            for path in ["/a", "/b"] {
                let labels = labels("p_total").with("path", path);
                all.push(floats(random, labels, counter));
            }
            classic(random, &labels("h_bucket"), &BOUNDS, &mut all);
            let bounds = random.pick(&MESSY_BOUNDS);
            classic(random, &labels("m_bucket"), bounds, &mut all);
            all.push(native(random, labels("n")));
        }
        let info = [("__name__", "info"), ("job", job), ("version", "1.2")];
        all.push(floats(random, LabelSet::new(info), |_, _| 1.0));
    }
    // Series of one name with other labels, some of which have none.
    for labels in [
        &[][..],
        &[("job", "api")],
        &[("path", "/a")],
        &[("job", "db"), ("path", "/a")],
        &[("instance", "1"), ("zone", "x")],
    ] {
        let labels = labels.iter().copied().chain([("__name__", "u")]);
        all.push(floats(random, LabelSet::new(labels), gauge));
    }
    all
}

fn counter(random: &mut Random, before: f64) -> f64 {
    if random.once_in(60) {
        return random.below(5) as f64;
    }
    before
        + if random.once_in(4) {
            0.0
        } else {
            random.below(40) as f64
        }
}

fn gauge(random: &mut Random, before: f64) -> f64 {
    if random.once_in(100) {
        return f64::NAN;
    }
    let before = if before.is_nan() { 0.0 } else { before };
    before + (random.unit() - 0.5) * 20.0
}

/// When there are samples: with gaps, ends by stale markers, and time that is not quite even.
fn times(random: &mut Random) -> Vec<(i64, bool)> {
    let mut times = Vec::new();
    let first = if random.once_in(3) {
        random.below(100)
    } else {
        0
    };
    let mut tick = i64::try_from(first).unwrap();
    let jitter = random.once_in(3);
    while tick < TICKS {
        let moved = if jitter {
            i64::try_from(random.below(900)).unwrap()
        } else {
            0
        };
        let time = START + tick * STEP + moved;
        if random.once_in(70) {
            times.push((time, true));
            tick += i64::try_from(random.below(30)).unwrap();
        } else {
            times.push((time, false));
        }
        if random.once_in(40) {
            tick += i64::try_from(random.below(25)).unwrap();
        }
        tick += 1;
    }
    times
}

fn floats(random: &mut Random, labels: LabelSet, next: impl Fn(&mut Random, f64) -> f64) -> Series {
    let mut value = random.below(100) as f64;
    let samples = times(random).into_iter().map(|(time, stale)| {
        value = next(random, value);
        let value = if stale { f64::from_bits(STALE) } else { value };
        Sample {
            time,
            value: value.into(),
        }
    });
    let samples = samples.collect();
    Series { labels, samples }
}

fn classic(random: &mut Random, labels: &LabelSet, bounds: &[&str], all: &mut Vec<Series>) {
    let times = times(random);
    let mut counts = vec![0.0; bounds.len()];
    let mut buckets = vec![Vec::new(); bounds.len()];
    for (time, stale) in times {
        if random.once_in(80) {
            counts.fill(0.0);
        }
        let mut below = 0.0;
        for (count, samples) in counts.iter_mut().zip(&mut buckets) {
            *count += random.below(6) as f64;
            below += *count;
            let value = if stale { f64::from_bits(STALE) } else { below };
            samples.push(Sample {
                time,
                value: value.into(),
            });
        }
    }
    for (bound, samples) in bounds.iter().zip(buckets) {
        all.push(Series {
            labels: labels.with("le", *bound),
            samples,
        });
    }
}

/// A histogram that starts with so many observations in each bucket. Prometheus 3.5 does not end
/// the extrapolation of histograms where they would be zero, as later ones do: there are enough
/// observations from the start that it makes no difference.
fn started(random: &mut Random, each: f64, has_negative: bool) -> FloatHistogram {
    let positive: Vec<_> = (-4..8).map(|index| (index, each)).collect();
    let negative = if has_negative {
        positive.clone()
    } else {
        Vec::new()
    };
    let count = each * (positive.len() + negative.len()) as f64;
    FloatHistogram {
        schema: random.pick(&[0, 1, 2]),
        zero_threshold: 0.001,
        count,
        sum: count * 1.5,
        positive,
        negative,
        ..FloatHistogram::default()
    }
}

fn native(random: &mut Random, labels: LabelSet) -> Series {
    let has_negative = random.once_in(2);
    let mut histogram = started(random, 1_000.0, has_negative);
    let samples = times(random).into_iter().map(|(time, stale)| {
        if random.once_in(60) {
            histogram = started(random, 400.0, has_negative);
        }
        let add = |buckets: &mut Vec<(i32, f64)>, random: &mut Random| {
            let index = i32::try_from(random.below(12)).unwrap() - 4;
            let more = random.below(5) as f64;
            match buckets.binary_search_by_key(&index, |(index, _)| *index) {
                Ok(at) => buckets[at].1 += more,
                Err(at) => buckets.insert(at, (index, more)),
            }
            more
        };
        let mut count = 0.0;
        for _ in 0..3 {
            count += add(&mut histogram.positive, random);
        }
        if has_negative {
            count += add(&mut histogram.negative, random);
        }
        let zeros = random.below(3) as f64;
        histogram.zero_count += zeros;
        histogram.count += count + zeros;
        histogram.sum += count * (1.0 + random.unit());
        let mut value = histogram.clone();
        if stale {
            value.sum = f64::from_bits(STALE);
        }
        Sample {
            time,
            value: PointValue::from(value),
        }
    });
    let samples = samples.collect();
    Series { labels, samples }
}
