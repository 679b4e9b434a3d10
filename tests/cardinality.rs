//! More label values than a family takes: nobody waits, nothing is lost, the heap stays flat.

#![allow(clippy::unwrap_used, reason = "this is a test")]

use selfheal::registry::{Counter, Family, Number, OVERFLOW, Registry, Settings, Text, ValueRef};

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

/// A path that no other number has, written in place.
struct Path([u8; 17]);

impl Path {
    fn new() -> Self {
        Self(*b"/orders/000000000")
    }

    fn set(&mut self, mut number: u64) -> &str {
        for digit in self.0[8..].iter_mut().rev() {
            *digit = b'0' + u8::try_from(number % 10).unwrap();
            number /= 10;
        }
        std::str::from_utf8(&self.0).unwrap()
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
    for number in 0..LIMIT as u64 {
        family.inc(&["GET", path.set(number)]);
    }
    // The first one that is too many makes the overflow series.
    family.inc(&["GET", path.set(LIMIT as u64)]);
    let thrown = allocation_counter::measure(|| {
        for number in LIMIT as u64 + 1..THROWN {
            family.inc(&["GET", path.set(number)]);
        }
    });
    assert_eq!(thrown.count_total, 0, "not even for a moment");
    assert_eq!((family.len(), registry.series()), (LIMIT, LIMIT));
    assert_eq!(value(&family, path.set(7), "GET"), 1);

    let overflow = THROWN - LIMIT as u64;
    let last = family.snapshot().series.pop().unwrap();
    assert!(last.labels.contains(OVERFLOW));
    assert_eq!(last.value.as_ref(), overflow_value(overflow));
    let told = registry
        .gather()
        .into_iter()
        .find(|family| family.def.name == "selfheal_series_overflowed_total");
    assert_eq!(
        told.unwrap().series[0].value.as_ref(),
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
        settings.max_series = 5;
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
