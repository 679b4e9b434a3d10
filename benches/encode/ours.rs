use selfheal::encode::{Encoding, Format, append, encode};
use selfheal::registry::{Registry, Settings, Text};

use crate::series::{BOUNDS, HELP, NAMES, observations, series};
use crate::{Library, Render};

pub(crate) const LIBRARY: Library = Library {
    name: "selfheal",
    counters: |count| render(with_counters(count), Format::TEXT),
    histograms: |count| render(with_histograms(count), Format::TEXT),
};

/// The other formats, and the way a server does it: in chunks, compressed.
pub(crate) fn other_ways(count: usize) -> Vec<(&'static str, Render)> {
    let registry = with_counters(count);
    let chunks = |format, encoding| {
        let registry = registry.clone();
        let render: Render = Box::new(move || {
            let scrape = registry.scrape();
            let written = encode(&scrape, format, encoding, std::io::sink()).unwrap();
            usize::try_from(written.bytes).unwrap()
        });
        render
    };
    vec![
        ("text", render(registry.clone(), Format::TEXT)),
        (
            "OpenMetrics",
            render(registry.clone(), Format::OPEN_METRICS),
        ),
        ("protobuf", render(registry.clone(), Format::PROTOBUF)),
        ("text in chunks", chunks(Format::TEXT, Encoding::Identity)),
        ("text in chunks, gzip", chunks(Format::TEXT, Encoding::Gzip)),
        (
            "protobuf in chunks",
            chunks(Format::PROTOBUF, Encoding::Identity),
        ),
        ("values alone", sample(registry)),
        (
            "values alone, of histograms",
            sample(with_histograms(count)),
        ),
    ]
}

/// The reading of a history, without a page.
fn sample(registry: Registry) -> Render {
    Box::new(move || {
        let mut series = 0;
        registry.sample(|id, value| {
            std::hint::black_box((id, value));
            series += 1;
        });
        series
    })
}

fn registry(count: usize) -> Registry {
    let mut settings = Settings::default();
    settings.metrics.max_series_per_family = count;
    Registry::with_settings(settings)
}

fn with_counters(count: usize) -> Registry {
    let registry = registry(count);
    let family = registry
        .counter("http_requests_total", HELP)
        .labels::<[Text; 3]>(NAMES)
        .unwrap();
    for series in series(count) {
        family.add(&series.labels(), series.value);
    }
    registry
}

fn with_histograms(count: usize) -> Registry {
    let registry = registry(count);
    let family = registry
        .histogram("http_request_duration_seconds", HELP)
        .buckets(&BOUNDS)
        .labels::<[Text; 3]>(NAMES)
        .unwrap();
    for series in series(count) {
        let histogram = family.with(&series.labels());
        observations().for_each(|value| histogram.observe(value));
    }
    registry
}

fn render(registry: Registry, format: Format) -> Render {
    let mut page = Vec::new();
    Box::new(move || {
        page.clear();
        append(&registry.scrape(), format, &mut page);
        page.len()
    })
}
