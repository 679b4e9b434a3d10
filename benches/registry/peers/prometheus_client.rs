use std::any::Any;
use std::hint::black_box;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, NativeHistogramConfig};

use crate::labels::{BOUNDS, NAMES, NATIVE_GROWTH, Requests, TRACE, many};
use crate::work::{
    Run, counting, counting_on_two_threads, observing, observing_on_two_threads, timed,
};

type Texts = Vec<(&'static str, String)>;

fn labels(names: [&'static str; 3], values: [&str; 3]) -> Texts {
    names.into_iter().zip(values.map(str::to_owned)).collect()
}

pub(crate) fn handle() -> Run {
    let counter = Counter::<u64>::default();
    counting(move || {
        counter.inc();
    })
}

pub(crate) fn texts() -> Run {
    let family = Family::<Texts, Counter>::default();
    let requests = Requests::new();
    timed(move |times| {
        requests.each(times, |route, status| {
            let values = [
                requests.method,
                &requests.routes[route],
                requests.statuses[status],
            ];
            family.get_or_create(&labels(NAMES, values)).inc();
        });
    })
}

pub(crate) fn enums() -> Run {
    let family = Family::<(usize, usize, usize), Counter>::default();
    let requests = Requests::new();
    timed(move |times| {
        requests.each(times, |route, status| {
            family.get_or_create(&(0, route, status)).inc();
        });
    })
}

pub(crate) fn observe() -> Run {
    let histogram = Histogram::new(BOUNDS);
    observing(move |value| histogram.observe(value))
}

fn native() -> Histogram {
    Histogram::new_native(NativeHistogramConfig::new(NATIVE_GROWTH).max_buckets(160))
}

pub(crate) fn observe_native() -> Run {
    let histogram = native();
    observing(move |value| histogram.observe(value))
}

pub(crate) fn observe_both() -> Run {
    let native = NativeHistogramConfig::new(NATIVE_GROWTH).max_buckets(160);
    let histogram = Histogram::new_classic_and_native(BOUNDS, native);
    observing(move |value| histogram.observe(value))
}

pub(crate) fn observe_with_exemplar() -> Run {
    let histogram = HistogramWithExemplars::new(BOUNDS.into_iter());
    observing(move |value| {
        let trace = vec![("trace_id", black_box(TRACE))];
        histogram.observe(value, Some(trace), None);
    })
}

pub(crate) fn two_counters() -> Run {
    counting_on_two_threads(Counter::<u64>::default(), |counter| {
        counter.inc();
    })
}

pub(crate) fn two_histograms() -> Run {
    observing_on_two_threads(Histogram::new(BOUNDS), |histogram, value| {
        histogram.observe(value);
    })
}

pub(crate) fn two_native_histograms() -> Run {
    observing_on_two_threads(native(), Histogram::observe)
}

pub(crate) fn create(texts: &many::Texts, count: usize) -> Box<dyn Any> {
    let family = Family::<Texts, Counter>::default();
    for series in texts.series(count) {
        let labels = labels(many::NAMES, black_box(texts.of(series)));
        family.get_or_create(&labels).inc();
    }
    Box::new(family)
}
