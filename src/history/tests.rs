use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::catalog::Native;
use crate::registry::{Counter, Family, Histogram, Settings as Limits, Text};
use crate::util::STALE;

fn registry() -> Registry {
    Registry::with_settings(Limits {
        metrics: crate::config::Metrics::new().max_series_per_family(10_000),
        ..Limits::default()
    })
}

fn history(registry: &Registry, keep: u64, max_bytes: usize) -> History {
    let settings = HistorySettings::new().keep(Duration::from_secs(keep));
    History::new(registry, settings.max_bytes(max_bytes as u64))
}

/// The values of a series, one list per part.
type Parts = Vec<Vec<(i64, f64)>>;

/// Every series of a metric, with all its values.
fn all(history: &History, name: &str) -> Vec<(Known, Parts)> {
    let known = history.known();
    let meant = known.iter().filter(|known| &*known.name == name);
    let read = |known: &Known| (known.clone(), history.read(known.id, (i64::MIN, i64::MAX)));
    meant.map(read).collect()
}

#[test]
fn a_series_ends_with_a_stale_marker_and_a_new_one_is_another() {
    let registry = registry();
    let jobs: Family<Counter, [Text; 1]> = registry
        .counter("jobs_total", "Jobs")
        .labels(["kind"])
        .unwrap();
    let history = history(&registry, 600, 1 << 20);
    jobs.inc(&["a"]);
    history.tick(1_000);
    history.tick(2_000);
    jobs.remove(&["a"]);
    history.tick(3_000);
    jobs.inc(&["a"]);
    history.tick(4_000);
    let tracks = all(&history, "jobs_total");
    assert_eq!(tracks.len(), 2);
    assert!(
        tracks
            .iter()
            .all(|(known, _)| &*known.labels == "kind=\"a\"")
    );
    let bits = |(_, parts): &(Known, Parts)| -> Vec<(i64, u64)> {
        let points = parts[0].iter();
        points.map(|(time, v)| (*time, v.to_bits())).collect()
    };
    let one = 1_f64.to_bits();
    assert_eq!(
        bits(&tracks[0]),
        [(1_000, one), (2_000, one), (3_000, STALE)]
    );
    assert_eq!(bits(&tracks[1]), [(4_000, one)]);
}

#[test]
fn a_histogram_is_buckets_and_sum() {
    let registry = registry();
    let took = registry
        .histogram("took_seconds", "Time")
        .buckets(&[0.1, 1.0])
        .build()
        .unwrap();
    let history = history(&registry, 600, 1 << 20);
    for value in [0.05, 0.5, 0.75, 5.0] {
        took.observe(value);
    }
    history.tick(1_000);
    let tracks = all(&history, "took_seconds");
    assert_eq!(tracks[0].0.bounds.as_deref(), Some(&[0.1, 1.0][..]));
    let last: Vec<f64> = tracks[0].1.iter().map(|part| part[0].1).collect();
    assert_eq!(last, [1.0, 3.0, 4.0, 6.3]);
}

#[test]
fn native_buckets_are_kept_beside_classic_ones_and_alone() {
    let registry = registry();
    let native = Native::schema(0).max_buckets(4);
    let both = registry.histogram("both_seconds", "Time").buckets(&[1.0]);
    let both = both.native(native).build().unwrap();
    let alone = registry.histogram("alone_seconds", "Time");
    let alone = alone.native_only(native).build().unwrap();
    let history = history(&registry, 600, 1 << 20);
    let mut wanted = Vec::new();
    for (time, value) in [(1_000, 0.4), (2_000, -3.0), (3_000, 0.0), (4_000, 400.0)] {
        both.observe(value);
        alone.observe(value);
        history.tick(time);
        wanted.push((time, alone.snapshot()));
    }
    let tracks = all(&history, "both_seconds");
    assert!(tracks[0].0.native && tracks[0].0.bounds.is_some());
    assert_eq!(tracks[0].1.len(), 3, "two buckets and the sum");
    let natives = history.read_native(tracks[0].0.id, (i64::MIN, i64::MAX));
    assert_eq!(natives, wanted);
    let tracks = all(&history, "alone_seconds");
    assert!(tracks[0].0.native && tracks[0].0.bounds.is_none() && tracks[0].1.is_empty());
    let id = tracks[0].0.id;
    assert_eq!(history.read_native(id, (i64::MIN, i64::MAX)), wanted);
    assert_eq!(history.read_native(id, (2_000, 3_500)), wanted[1..3]);
    assert_eq!(history.newest_native(id, (0, 9_000)), wanted.pop());
    assert_eq!(history.newest_native(id, (0, 3_000)), wanted.pop());
}

#[test]
fn a_native_histogram_ends_with_a_stale_marker_and_is_forgotten() {
    let registry = registry();
    let took: Family<Histogram, [Text; 1]> = registry
        .histogram("took_seconds", "Time")
        .native_only(Native::schema(3))
        .labels(["path"])
        .unwrap();
    let history = history(&registry, 100, 1 << 20);
    took.observe(&["/"], 1.5);
    history.tick(1_000);
    took.remove(&["/"]);
    history.tick(2_000);
    let id = history.known()[0].id;
    let ends = |range| {
        let found = history.read_native(id, range).into_iter();
        let stale = found.map(|(time, histogram)| (time, histogram.sum.to_bits() == STALE));
        stale.collect::<Vec<_>>()
    };
    assert_eq!(ends((0, 9_000)), [(1_000, false), (2_000, true)]);
    assert_eq!(ends((2_000, 9_000)), [(2_000, true)]);
    let newest = history.newest_native(id, (0, 9_000)).unwrap();
    assert_eq!((newest.0, newest.1.sum.to_bits()), (2_000, STALE));
    (3..300).for_each(|second| history.tick(second * 1_000));
    assert_eq!((history.stats().series, history.stats().bytes), (0, 0));
}

#[test]
fn the_memory_of_native_histograms_is_bounded_and_what_is_left_is_whole() {
    let registry = registry();
    let took: Family<Histogram, [Text; 1]> = registry
        .histogram("took_seconds", "Time")
        .native_only(Native::schema(3))
        .labels(["path"])
        .unwrap();
    let history = history(&registry, 1_000_000, 200_000);
    let mut counts = Vec::new();
    for second in 0..1_500_i64 {
        for path in 0..10_i64 {
            let value = ((second * 7_919 + path * 104_729) % 1_003 + 1) as f64 / 97.0;
            took.observe(&[path.to_string()], value);
        }
        history.tick(second * 1_000);
        counts.push(second.unsigned_abs() + 1);
        assert!(history.stats().bytes <= 200_000, "{:?}", history.stats());
    }
    assert!(history.stats().evicted > 0);
    let kept = history.read_native(history.known()[0].id, (0, i64::MAX));
    let first = usize::try_from(kept[0].0 / 1_000).unwrap();
    assert!((1..1_400).contains(&first), "from {first}");
    let found: Vec<u64> = kept
        .iter()
        .map(|(_, histogram)| histogram.count())
        .collect();
    assert_eq!(found, counts[first..]);
}

#[test]
fn time_that_stands_still_or_goes_back_makes_no_tick() {
    let registry = registry();
    let jobs = registry.counter("jobs_total", "Jobs").build().unwrap();
    let history = history(&registry, 600, 1 << 20);
    for time in [1_000, 1_000, 500, 2_000] {
        jobs.inc();
        history.tick(time);
    }
    assert_eq!(
        all(&history, "jobs_total")[0].1[0],
        [(1_000, 1.0), (2_000, 4.0)]
    );
}

#[test]
fn what_is_too_old_goes_and_series_that_are_empty_with_it() {
    let registry = registry();
    let jobs: Family<Counter, [Text; 1]> = registry
        .counter("jobs_total", "Jobs")
        .labels(["kind"])
        .unwrap();
    let history = history(&registry, 100, 1 << 20);
    jobs.inc(&["gone"]);
    history.tick(0);
    jobs.remove(&["gone"]);
    jobs.inc(&["stays"]);
    for second in 1..1_000 {
        history.tick(second * 1_000);
    }
    let tracks = all(&history, "jobs_total");
    assert_eq!(tracks.len(), 1);
    assert_eq!(tracks[0].1[0].len(), 101);
    assert_eq!(history.stats().series, 1);
    assert_eq!(history.stats().evicted, 0);
}

#[test]
fn memory_is_bounded_and_what_is_read_stays_longest() {
    let registry = registry();
    let noise: Family<crate::registry::FloatGauge, [Text; 1]> = registry
        .float_gauge("noise", "Noise")
        .labels(["n"])
        .unwrap();
    let wanted = registry.float_gauge("wanted", "Wanted").build().unwrap();
    let history = history(&registry, 1_000_000, 200_000);
    for second in 0..2_000_i64 {
        for n in 0..100_i64 {
            let value = ((second * 7_919 + n * 104_729) % 1_000_003) as f64 / 7.0;
            noise.set(&[n.to_string()], value);
        }
        wanted.set((second as f64).sqrt());
        history.tick(second * 1_000);
        if second % 200 == 0 {
            let _ = all(&history, "wanted");
        }
        assert!(history.stats().bytes <= 200_000, "{:?}", history.stats());
    }
    assert!(history.stats().evicted > 0);
    assert_eq!(all(&history, "wanted")[0].1[0].len(), 2_000);
    assert!(all(&history, "noise")[0].1[0].len() < 500);
}

#[test]
fn the_function_of_a_gauge_may_ask_the_history() {
    let registry = registry();
    let history = history(&registry, 600, 1 << 20);
    let asked = history.clone();
    registry
        .gauge_fn("ticks", "Ticks", move || asked.stats().ticks as f64)
        .unwrap();
    history.tick(1_000);
    history.tick(2_000);
    assert_eq!(all(&history, "ticks")[0].1[0], [(1_000, 0.0), (2_000, 1.0)]);
}

/// Typical values of a service: two thirds never change, the others are counters or vary.
#[test]
fn a_sample_takes_about_a_byte() {
    let registry = registry();
    let series: Family<Counter, [Text; 1]> = registry
        .counter("requests_total", "Requests")
        .labels(["n"])
        .unwrap();
    let history = history(&registry, 100_000, 1 << 30);
    let mut seed = 1_u64;
    for tick in 0..480 {
        for n in 0..300_u64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if n % 3 == 0 || tick == 0 {
                series.add(&[n.to_string()], 100 + seed % 50);
            }
        }
        history.tick(tick * 15_000);
    }
    let samples = 480 * 300;
    let each = history.stats().bytes as f64 / f64::from(samples);
    assert!(each < 1.3, "{each} bytes");
}

#[test]
fn the_list_of_series_is_the_same_until_it_changes() {
    let registry = registry();
    let jobs: Family<Counter, [Text; 1]> = registry
        .counter("jobs_total", "Jobs")
        .labels(["kind"])
        .unwrap();
    let history = history(&registry, 600, 1 << 20);
    jobs.inc(&["a"]);
    history.tick(1_000);
    let before = history.known();
    jobs.inc(&["a"]);
    history.tick(2_000);
    assert!(Arc::ptr_eq(&before, &history.known()));
    jobs.inc(&["b"]);
    history.tick(3_000);
    assert!(!Arc::ptr_eq(&before, &history.known()));
    assert_eq!(history.known().len(), 2);
}

#[test]
fn what_ended_before_the_range_is_not_in_it() {
    let registry = registry();
    let jobs: Family<Counter, [Text; 1]> = registry
        .counter("jobs_total", "Jobs")
        .labels(["kind"])
        .unwrap();
    let history = history(&registry, 600, 1 << 20);
    jobs.inc(&["a"]);
    history.tick(1_000);
    jobs.remove(&["a"]);
    (2..6).for_each(|second| history.tick(second * 1_000));
    let id = history.known()[0].id;
    let read = |from, to| history.read(id, (from, to))[0].len();
    assert_eq!(
        [read(1_000, 1_500), read(1_000, 9_000), read(2_000, 9_000)],
        [1, 2, 1]
    );
    assert_eq!([read(3_000, 9_000), read(0, 1_000)], [0, 1]);
    assert!(history.read(id, (7_000, 9_000)).is_empty());
}

#[test]
fn what_lies_further_back_is_read_from_the_coarse_samples() {
    let registry = registry();
    let jobs = registry.counter("jobs_total", "Jobs").build().unwrap();
    let native = registry
        .histogram("took_seconds", "Time")
        .native(Native::growth(1.1))
        .build()
        .unwrap();
    let old: Family<Counter, [Text; 1]> = registry
        .counter("old_total", "What goes early")
        .labels(["kind"])
        .unwrap();
    old.inc(&["a"]);
    let settings = HistorySettings::new()
        .keep(Duration::from_secs(120))
        .coarse_keep(Duration::from_secs(3_600));
    let history = History::new(&registry, settings);
    for tick in 0..40 {
        jobs.inc();
        native.observe(0.1);
        history.tick(tick * 15_000);
        if tick == 8 {
            old.remove(&["a"]);
        }
    }
    let (_, parts) = all(&history, "jobs_total").remove(0);
    let times: Vec<i64> = parts[0].iter().map(|(time, _)| time / 1_000).collect();
    // One minute apart, and 15 s apart in the last two minutes.
    let coarse = (0..).map(|n| n * 60).take_while(|time| *time < 465);
    let fine = (465..=585).step_by(15);
    assert_eq!(times, coarse.chain(fine).collect::<Vec<_>>());
    assert!(parts[0].windows(2).all(|pair| pair[0].1 < pair[1].1));
    let (known, _) = all(&history, "took_seconds").remove(0);
    let read = history.read_native(known.id, (i64::MIN, i64::MAX));
    assert_eq!(read.len(), times.len());
    assert!(read.windows(2).all(|pair| pair[0].0 < pair[1].0));
    // A series that ended before the fine samples begin is still known, with its end.
    let (_, parts) = all(&history, "old_total").remove(0);
    let last = parts[0].last().unwrap();
    assert_eq!((last.0, last.1.to_bits()), (180_000, STALE));
    assert!(Arc::ptr_eq(&history.known(), &history.known()));
}

#[test]
fn with_the_scope_of_rules_only_what_is_wanted_is_kept() {
    let registry = registry();
    let jobs = registry.counter("jobs_total", "Jobs").build().unwrap();
    let took = registry.histogram("took_seconds", "Time").build().unwrap();
    let settings = HistorySettings::new().only(HistoryScope::Rules);
    let history = History::new(&registry, settings);
    history.want("jobs_total");
    let names = || -> Vec<_> {
        history
            .known()
            .iter()
            .map(|one| one.name.to_string())
            .collect()
    };
    for tick in 1..=3 {
        jobs.inc();
        took.observe(0.1);
        history.tick(tick * 15_000);
        assert_eq!(names(), ["jobs_total"]);
    }
    assert_eq!(history.stats().series, 1);
    history.want("took_seconds_bucket");
    for tick in 4..=5 {
        history.tick(tick * 15_000);
    }
    let mut both = names();
    both.sort_unstable();
    assert_eq!(both, ["jobs_total", "took_seconds"]);
    let (_, parts) = all(&history, "took_seconds").remove(0);
    assert_eq!(parts[0].len(), 2, "since it was asked for");
}

#[test]
fn names_of_queries_are_limited_and_those_of_rules_are_not() {
    let registry = registry();
    let _jobs = registry.counter("jobs_total", "Jobs").build().unwrap();
    let settings = HistorySettings::new().only(HistoryScope::Rules);
    let history = History::new(&registry, settings);
    for n in 0..1_000 {
        history.want(&format!("q{n}"));
    }
    history.want("jobs_total");
    history.tick(1_000);
    assert_eq!(history.stats().series, 0, "beyond the limit");
    history.want_always("jobs_total");
    history.tick(2_000);
    assert_eq!(history.stats().series, 1);
    let asked = history.asked_but(|name| name.starts_with('q'));
    assert_eq!(asked, HashSet::from([Arc::from("jobs_total")]));
}

/// The series of a service with sixty routes, of which a few have most of the requests.
#[test]
fn a_sample_of_a_service_takes_less_than_1_3_bytes() {
    const ROUTES: u64 = 60;
    let registry = registry();
    let requests: Family<Counter, [Text; 2]> = registry
        .counter("requests_total", "Requests")
        .labels(["route", "status"])
        .unwrap();
    let took: Family<Histogram, [Text; 1]> = registry
        .histogram("took_seconds", "Time")
        .labels(["route"])
        .unwrap();
    let load: Family<crate::registry::FloatGauge, [Text; 1]> =
        registry.float_gauge("load", "Load").labels(["of"]).unwrap();
    let routes: Vec<String> = (0..ROUTES).map(|n| format!("/api/v1/things/{n}")).collect();
    let history = history(&registry, 7_200, 1 << 30);
    let mut seed = 1_u64;
    let mut below = |bound: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % bound
    };
    for tick in 0..600 {
        for (n, route) in (1_u64..).zip(&routes) {
            let most = 600 / n.pow(2);
            let count = if most > 0 {
                below(most + 1)
            } else {
                u64::from(below(4) == 0)
            };
            for status in ["2xx", "4xx", "5xx"] {
                requests.add(&[&**route, status], u64::from(tick == 0));
            }
            for _ in 0..count {
                let status = if below(200) == 0 { "5xx" } else { "2xx" };
                requests.add(&[&**route, status], 1);
                took.observe(&[&**route], 0.004 + (below(1_000) as f64 / 1_000.0).powi(8));
            }
            if tick == 0 {
                took.observe(&[&**route], 0.01);
            }
        }
        for of in ["cpu", "memory", "disk"] {
            load.set(&[of], below(1 << 30) as f64 / 1e9);
        }
        history.tick(tick * 15_000);
    }
    let numbers = |series: &Known| series.bounds.as_ref().map_or(1, |all| all.len() + 2);
    let bytes = history.stats().bytes as f64;
    let samples = history.known().iter().map(numbers).sum::<usize>() * history.stats().ticks;
    let each = bytes / samples as f64;
    println!("{each} bytes for each of {samples} samples");
    assert!(each < 1.3, "{each} bytes");
}
