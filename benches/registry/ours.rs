use std::any::Any;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use selfheal::catalog::Native;
use selfheal::registry::{
    Counter, Family, Histogram, LabelValue, Registry, Settings, StripedCounter, Text,
};

use crate::labels::{BOUNDS, NAMES, NATIVE_GROWTH, Requests, STATUSES, TRACE, many};
use crate::work::{
    Run, counting, counting_on_two_threads, observing, observing_on_two_threads, timed,
};

#[derive(Clone, Copy)]
struct Method;

impl LabelValue for Method {
    type Key = Self;
    const VALUES: &'static [&'static str] = &["GET"];
    fn index(&self) -> usize {
        0
    }
}

#[derive(Clone, Copy)]
struct Status(usize);

impl LabelValue for Status {
    type Key = Self;
    const VALUES: &'static [&'static str] = &STATUSES;
    fn index(&self) -> usize {
        self.0
    }
}

#[derive(Clone, Copy)]
struct Route(usize);

macro_rules! routes {
    ($($ten:literal)*) => {
        &[$(
            concat!("/api/v1/orders/", $ten, "0/items"),
            concat!("/api/v1/orders/", $ten, "1/items"),
            concat!("/api/v1/orders/", $ten, "2/items"),
            concat!("/api/v1/orders/", $ten, "3/items"),
            concat!("/api/v1/orders/", $ten, "4/items"),
            concat!("/api/v1/orders/", $ten, "5/items"),
            concat!("/api/v1/orders/", $ten, "6/items"),
            concat!("/api/v1/orders/", $ten, "7/items"),
            concat!("/api/v1/orders/", $ten, "8/items"),
            concat!("/api/v1/orders/", $ten, "9/items"),
        )*]
    };
}

impl LabelValue for Route {
    type Key = Self;
    const VALUES: &'static [&'static str] = routes!(0 1 2 3 4);
    fn index(&self) -> usize {
        self.0
    }
}

fn counter() -> Counter {
    Registry::new()
        .counter("requests_total", "Requests")
        .build()
        .unwrap()
}

fn histogram() -> Histogram {
    let registry = Registry::new();
    registry
        .histogram("took_seconds", "Time")
        .buckets(&BOUNDS)
        .build()
        .unwrap()
}

pub(crate) fn atomic_add() -> Run {
    let counter = AtomicU64::new(0);
    counting(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    })
}

pub(crate) fn handle() -> Run {
    let counter = counter();
    counting(move || counter.inc())
}

pub(crate) fn texts() -> Run {
    let family: Family<Counter, [Text; 3]> = Registry::new()
        .counter("requests_total", "Requests")
        .labels(NAMES)
        .unwrap();
    let requests = Requests::new();
    timed(move |times| {
        requests.each(times, |route, status| {
            family.inc(&[
                requests.method,
                &requests.routes[route],
                requests.statuses[status],
            ]);
        });
    })
}

pub(crate) fn mixed() -> Run {
    let family: Family<Counter, (Method, Text, Status)> = Registry::new()
        .counter("requests_total", "Requests")
        .labels(NAMES)
        .unwrap();
    let requests = Requests::new();
    timed(move |times| {
        requests.each(times, |route, status| {
            family.inc(&(Method, requests.routes[route].as_str(), Status(status)));
        });
    })
}

pub(crate) fn enums() -> Run {
    let family: Family<Counter, (Method, Route, Status)> = Registry::new()
        .counter("requests_total", "Requests")
        .labels(NAMES)
        .unwrap();
    let requests = Requests::new();
    timed(move |times| {
        requests.each(times, |route, status| {
            family.inc(&(Method, Route(route), Status(status)));
        });
    })
}

fn native(buckets: &[f64]) -> Histogram {
    let registry = Registry::new();
    let histogram = registry.histogram("took_seconds", "Time");
    let histogram = match buckets {
        [] => histogram.native_only(Native::growth(NATIVE_GROWTH)),
        _ => histogram
            .buckets(buckets)
            .native(Native::growth(NATIVE_GROWTH)),
    };
    histogram.build().unwrap()
}

pub(crate) fn observe_native() -> Run {
    let histogram = native(&[]);
    observing(move |value| histogram.observe(value))
}

pub(crate) fn observe_both() -> Run {
    let histogram = native(&BOUNDS);
    observing(move |value| histogram.observe(value))
}

pub(crate) fn observe_with_exemplar() -> Run {
    let histogram = histogram();
    observing(move |value| {
        histogram.observe_with_exemplar(value, |labels| labels.push("trace_id", black_box(TRACE)));
    })
}

pub(crate) fn observe() -> Run {
    let histogram = histogram();
    observing(move |value| histogram.observe(value))
}

pub(crate) fn two_counters() -> Run {
    counting_on_two_threads(counter(), Counter::inc)
}

pub(crate) fn two_striped_counters() -> Run {
    let counter = Registry::new()
        .counter("requests_total", "Requests")
        .striped()
        .build()
        .unwrap();
    counting_on_two_threads(counter, StripedCounter::inc)
}

pub(crate) fn two_striped_histograms() -> Run {
    let histogram = Registry::new()
        .histogram("took_seconds", "Time")
        .buckets(&BOUNDS)
        .striped()
        .build()
        .unwrap();
    observing_on_two_threads(histogram, Histogram::observe)
}

pub(crate) fn two_striped_histograms_with_exemplars() -> Run {
    let registry = Registry::new();
    let histogram = registry
        .histogram("took_seconds", "Time")
        .buckets(&BOUNDS)
        .striped()
        .build()
        .unwrap();
    observing_on_two_threads(histogram, |histogram, value| {
        histogram.observe_with_exemplar(value, |labels| labels.push("trace_id", black_box(TRACE)));
    })
}

pub(crate) fn two_striped_native_histograms() -> Run {
    let registry = Registry::new();
    let histogram = registry
        .histogram("took_seconds", "Time")
        .native_only(Native::growth(NATIVE_GROWTH))
        .striped()
        .build()
        .unwrap();
    observing_on_two_threads(histogram, Histogram::observe)
}

pub(crate) fn two_native_histograms() -> Run {
    observing_on_two_threads(native(&[]), Histogram::observe)
}

pub(crate) fn two_histograms() -> Run {
    observing_on_two_threads(histogram(), Histogram::observe)
}

pub(crate) fn create(texts: &many::Texts, count: usize) -> Box<dyn Any> {
    let mut settings = Settings::default();
    settings.metrics.max_series_per_family = count;
    let family: Family<Counter, [Text; 3]> = Registry::with_settings(settings)
        .counter("requests_total", "Requests")
        .labels(many::NAMES)
        .unwrap();
    for series in texts.series(count) {
        family.inc(black_box(&texts.of(series)));
    }
    assert_eq!(family.len(), count);
    Box::new(family)
}
