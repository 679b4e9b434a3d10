use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::series::{BOUNDS, HELP, NAMES, Series, observations, series};
use crate::{Library, Render};

pub(crate) const LIBRARY: Library = Library {
    name: "prometheus-client",
    counters,
    histograms,
};

type Labels = Vec<(&'static str, String)>;

fn labels(series: Series) -> Labels {
    NAMES.into_iter().zip(series.labels()).collect()
}

fn counters(count: usize) -> Render {
    let mut registry = Registry::default();
    let family = Family::<Labels, Counter>::default();
    registry.register("http_requests", HELP, family.clone());
    for series in series(count) {
        family.get_or_create(&labels(series)).inc_by(series.value);
    }
    render(registry)
}

fn histograms(count: usize) -> Render {
    let mut registry = Registry::default();
    let family = Family::<Labels, Histogram, _>::new_with_constructor(|| Histogram::new(BOUNDS));
    registry.register("http_request_duration_seconds", HELP, family.clone());
    for series in series(count) {
        let histogram = family.get_or_create(&labels(series));
        observations().for_each(|value| histogram.observe(value));
    }
    render(registry)
}

fn render(registry: Registry) -> Render {
    let mut page = String::new();
    Box::new(move || {
        page.clear();
        encode(&mut page, &registry).unwrap();
        page.len()
    })
}
