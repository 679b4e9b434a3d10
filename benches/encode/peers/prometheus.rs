use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder,
};

use crate::series::{BOUNDS, HELP, NAMES, observations, series};
use crate::{Library, Render};

pub(crate) const LIBRARY: Library = Library {
    name: "prometheus",
    counters,
    histograms,
};

fn counters(count: usize) -> Render {
    let registry = Registry::new();
    let family = IntCounterVec::new(Opts::new("http_requests_total", HELP), &NAMES).unwrap();
    registry.register(Box::new(family.clone())).unwrap();
    for series in series(count) {
        family
            .with_label_values(&series.labels())
            .inc_by(series.value);
    }
    render(registry)
}

fn histograms(count: usize) -> Render {
    let registry = Registry::new();
    let options =
        HistogramOpts::new("http_request_duration_seconds", HELP).buckets(BOUNDS.to_vec());
    let family = HistogramVec::new(options, &NAMES).unwrap();
    registry.register(Box::new(family.clone())).unwrap();
    for series in series(count) {
        let histogram = family.with_label_values(&series.labels());
        observations().for_each(|value| histogram.observe(value));
    }
    render(registry)
}

fn render(registry: Registry) -> Render {
    let mut page = Vec::new();
    Box::new(move || {
        page.clear();
        TextEncoder::new()
            .encode(&registry.gather(), &mut page)
            .unwrap();
        page.len()
    })
}
