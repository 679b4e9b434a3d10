use std::any::Any;
use std::hint::black_box;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts};

use crate::labels::{BOUNDS, NAMES, Requests, many};
use crate::work::{
    Run, counting, counting_on_two_threads, observing, observing_on_two_threads, timed,
};

fn counter() -> IntCounter {
    IntCounter::new("requests_total", "Requests").unwrap()
}

fn family(names: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new("requests_total", "Requests"), names).unwrap()
}

fn histogram() -> Histogram {
    let options = HistogramOpts::new("took_seconds", "Time").buckets(BOUNDS.to_vec());
    Histogram::with_opts(options).unwrap()
}

pub(crate) fn handle() -> Run {
    let counter = counter();
    counting(move || counter.inc())
}

pub(crate) fn texts() -> Run {
    let family = family(&NAMES);
    let requests = Requests::new();
    timed(move |times| {
        requests.each(times, |route, status| {
            let labels = [
                requests.method,
                &requests.routes[route],
                requests.statuses[status],
            ];
            family.with_label_values(&labels).inc();
        });
    })
}

pub(crate) fn observe() -> Run {
    let histogram = histogram();
    observing(move |value| histogram.observe(value))
}

pub(crate) fn two_counters() -> Run {
    counting_on_two_threads(counter(), IntCounter::inc)
}

pub(crate) fn two_histograms() -> Run {
    observing_on_two_threads(histogram(), Histogram::observe)
}

pub(crate) fn create(texts: &many::Texts, count: usize) -> Box<dyn Any> {
    let family = family(&many::NAMES);
    for series in texts.series(count) {
        family.with_label_values(black_box(&texts.of(series))).inc();
    }
    Box::new(family)
}
