//! More label values than a family takes, and more observations than are read: nothing waits,
//! nothing is lost, the heap stays flat.

#![allow(clippy::unwrap_used, reason = "this is a test")]

use selfheal::catalog::Native;
use selfheal::registry::{
    Counter, Declare, ExemplarLabels, Family, FloatCounter, Histogram, Number, OVERFLOW, Registry,
    Settings, Text, ValueRef,
};

const LIMIT: usize = 10_000;
const THROWN: u64 = 10_000_000;

fn family(settings: Settings) -> (Registry, Family<Counter, [Text; 2]>) {
    let registry = Registry::with_settings(settings);
    let family = registry
        .counter("requests_total", "Requests")
        .labels(["method", "path"])
        .unwrap();
    (registry, family)
}

/// A path that no other number has, written in place: an unoptimised build takes longer to make
/// ten million texts than to refuse them.
struct Path([u8; 17]);

impl Path {
    fn new() -> Self {
        Self(*b"/orders/000000000")
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap()
    }

    fn count_on(&mut self) {
        let mut at = self.0.len() - 1;
        while self.0[at] == b'9' {
            self.0[at] = b'0';
            at -= 1;
        }
        self.0[at] += 1;
    }
}

fn value(family: &Family<Counter, [Text; 2]>, path: &str, method: &str) -> u64 {
    family
        .get(&[method, path])
        .map_or(0, |counter| counter.get())
}

#[test]
fn ten_million_values_thrown_at_one_family_leave_the_heap_flat() {
    let (registry, family) = family(Settings::default());
    let mut path = Path::new();
    let mut throw = |times: u64| {
        for _ in 0..times {
            family.inc(&["GET", path.text()]);
            path.count_on();
        }
    };
    // The first one beyond the limit creates the overflow series.
    throw(LIMIT as u64 + 1);
    let thrown = allocation_counter::measure(|| throw(THROWN - LIMIT as u64 - 1));
    assert_eq!(path.text(), "/orders/010000000");
    assert_eq!(thrown.count_total, 0, "not even for a moment");
    assert_eq!((family.len(), registry.series()), (LIMIT, LIMIT));
    assert_eq!(value(&family, "/orders/000000007", "GET"), 1);

    let overflow = THROWN - LIMIT as u64;
    let last = family.snapshot().series.pop().unwrap();
    assert!(last.labels.contains(OVERFLOW));
    assert_eq!(last.value.as_ref(), overflow_value(overflow));
    let reported = registry
        .gather()
        .into_iter()
        .find(|family| family.def.name == "selfheal_series_overflowed_total");
    assert_eq!(
        reported.unwrap().series[0].value.as_ref(),
        overflow_value(overflow)
    );
}

fn overflow_value(n: u64) -> ValueRef<'static> {
    ValueRef::Number(Number::U64(n))
}

#[test]
fn values_of_any_length_that_are_refused_take_no_memory_either() {
    let settings = {
        let mut settings = Settings::default();
        settings.metrics.max_series = 5;
        settings
    };
    let (_, family) = family(settings);
    let long: Vec<String> = (0..1_000)
        .map(|n| format!("{n}\n\"{}", "x".repeat(n * 7)))
        .collect();
    for value in &long[..10] {
        family.inc(&["GET", value]);
    }
    let thrown = allocation_counter::measure(|| {
        for value in &long {
            family.inc(&["GET", value]);
            family.with(&[value, value]).inc();
        }
    });
    assert_eq!((thrown.count_total, family.len()), (0, 5));
}

/// There may be no scrape for hours, or ever.
#[test]
fn what_no_one_scrapes_takes_no_more_memory() {
    const OBSERVED: u32 = 100_000;
    let registry = Registry::new();
    let buckets: [fn(Declare<'_, Histogram>) -> Declare<'_, Histogram>; 3] = [
        |classic| classic,
        |both| both.native(Native::growth(1.1)),
        |native| native.native_only(Native::growth(1.1)),
    ];
    for (name, with) in ["a_seconds", "b_seconds", "c_seconds"]
        .into_iter()
        .zip(buckets)
    {
        let family: Family<Histogram, [Text; 1]> =
            with(registry.histogram(name, "")).labels(["path"]).unwrap();
        let trace = |labels: &mut ExemplarLabels| labels.push("trace_id", "4bf92f3577b34da6");
        let observe = |times: u32| {
            for n in 0..times {
                family.observe_with_exemplar(&["/a"], f64::from(n % 97) / 7.0, trace);
            }
        };
        // Native buckets are created with the values in them, exemplars with the first one.
        observe(97);
        let observed = allocation_counter::measure(|| observe(OBSERVED));
        assert_eq!(observed.count_total, 0, "{name}: {observed:?}");
        let snapshot = family.with(&["/a"]).snapshot();
        assert_eq!(snapshot.count(), u64::from(OBSERVED + 97), "{name}");
    }
}

/// A lookup in the path of every request costs every request.
#[test]
fn what_is_recorded_by_labels_again_allocates_nothing() {
    let registry = Registry::new();
    let (_, texts) = family(Settings::default());
    let cost: Family<FloatCounter, (Text, bool)> = registry
        .float_counter("cost_usd_total", "")
        .labels(["model", "cached"])
        .unwrap();
    let closed: Family<Counter, (bool, u8)> = registry
        .counter("asked_total", "")
        .labels(["cached", "shard"])
        .unwrap();
    let record = || {
        for n in 0..=u8::MAX {
            let path = ["/orders/{id}", "/a \"quoted\"\npath"][usize::from(n % 2)];
            texts.inc(&["GET", path]);
            cost.add(&(path, n % 3 == 0), 0.5);
            closed.inc(&(n % 2 == 0, n));
        }
    };
    // Found by content first, then by its place or address.
    (0..2).for_each(|_| record());
    let recorded = allocation_counter::measure(|| (0..100).for_each(|_| record()));
    assert_eq!(recorded.count_total, 0, "{recorded:?}");
    assert_eq!(value(&texts, "/orders/{id}", "GET"), 102 * 128);
}
