use std::any::Any;
use std::hint::black_box;

use metrics::{Label, with_local_recorder};
use metrics_exporter_prometheus::{
    Matcher, NativeHistogramConfig, PrometheusBuilder, PrometheusRecorder,
};

use crate::labels::{BOUNDS, NAMES, NATIVE_GROWTH, Requests, Values, many};
use crate::work::{Run, counting, on_two_threads, timed};

fn recorder() -> PrometheusRecorder {
    PrometheusBuilder::new()
        .set_buckets(&BOUNDS)
        .unwrap()
        .build_recorder()
}

fn labels(names: [&'static str; 3], values: [&str; 3]) -> Vec<Label> {
    let label = |(name, value): (&'static str, &str)| Label::new(name, value.to_owned());
    names.into_iter().zip(values).map(label).collect()
}

pub(crate) fn handle() -> Run {
    let counter = with_local_recorder(&recorder(), || metrics::counter!("requests_total"));
    counting(move || counter.increment(1))
}

pub(crate) fn texts() -> Run {
    let recorder = recorder();
    let requests = Requests::new();
    timed(move |times| {
        with_local_recorder(&recorder, || {
            requests.each(times, |route, status| {
                let values = [
                    requests.method,
                    &requests.routes[route],
                    requests.statuses[status],
                ];
                metrics::counter!("requests_total", labels(NAMES, values)).increment(1);
            });
        });
    })
}

/// Observations pile up until the next scrape; a scrape a second is what keeps them small.
pub(crate) fn observe() -> Run {
    observe_with(&recorder())
}

pub(crate) fn observe_native() -> Run {
    let native = NativeHistogramConfig::new(NATIVE_GROWTH, 160, 0.0).unwrap();
    let name = Matcher::Full("took_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_native_histogram_for_metric(name, native);
    observe_with(&builder.build_recorder())
}

fn observe_with(recorder: &PrometheusRecorder) -> Run {
    let histogram = with_local_recorder(recorder, || metrics::histogram!("took_seconds"));
    let (values, handle) = (Values::new(), recorder.handle());
    timed(move |times| {
        values.each(times, |value| histogram.record(value));
        handle.run_upkeep();
    })
}

pub(crate) fn two_histograms() -> Run {
    let recorder = recorder();
    let histogram = with_local_recorder(&recorder, || metrics::histogram!("took_seconds"));
    let handle = recorder.handle();
    on_two_threads(
        (histogram, Values::new(), handle),
        |(histogram, values, handle), times| {
            values.each(times, |value| histogram.record(value));
            handle.run_upkeep();
        },
    )
}

pub(crate) fn create(texts: &many::Texts, count: usize) -> Box<dyn Any> {
    let recorder = recorder();
    with_local_recorder(&recorder, || {
        for series in texts.series(count) {
            let labels = labels(many::NAMES, black_box(texts.of(series)));
            metrics::counter!("requests_total", labels).increment(1);
        }
    });
    Box::new(recorder)
}
