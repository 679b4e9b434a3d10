use metrics::{Label, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};

use crate::series::{BOUNDS, HELP, NAMES, Series, observations, series};
use crate::{Library, Render};

pub(crate) const LIBRARY: Library = Library {
    name: "metrics-exporter-prometheus",
    counters,
    histograms,
};

fn labels(series: Series) -> Vec<Label> {
    NAMES
        .into_iter()
        .zip(series.labels())
        .map(|(name, value)| Label::new(name, value))
        .collect()
}

fn counters(count: usize) -> Render {
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, || {
        metrics::describe_counter!("http_requests_total", HELP);
        for series in series(count) {
            metrics::counter!("http_requests_total", labels(series)).increment(series.value);
        }
    });
    render(&recorder)
}

fn histograms(count: usize) -> Render {
    let recorder = PrometheusBuilder::new()
        .set_buckets(&BOUNDS)
        .unwrap()
        .build_recorder();
    with_local_recorder(&recorder, || {
        metrics::describe_histogram!("http_request_duration_seconds", HELP);
        for series in series(count) {
            let histogram = metrics::histogram!("http_request_duration_seconds", labels(series));
            observations().for_each(|value| histogram.record(value));
        }
    });
    render(&recorder)
}

fn render(recorder: &PrometheusRecorder) -> Render {
    let handle = recorder.handle();
    let mut page = Vec::new();
    Box::new(move || {
        page.clear();
        handle.render_to_write(&mut page).unwrap();
        page.len()
    })
}
