//! The memory of an exposition, besides the registry.

use std::io;

use selfheal::encode::{Encoding, Format, Written, encode};
use selfheal::registry::{Registry, Settings, Text};

/// The most heap in use at a time while a scrape is written in chunks.
fn peak(registry: &Registry, format: Format) -> (u64, Written) {
    let mut written = None;
    let measured = allocation_counter::measure(|| {
        written = encode(&registry.scrape(), format, Encoding::Identity, io::sink()).ok();
    });
    (measured.bytes_max, written.unwrap())
}

#[test]
fn a_million_series_are_streamed_in_less_than_a_megabyte() {
    const SERIES: usize = 1_000_000;
    let mut settings = Settings::default();
    settings.metrics.max_series_per_family = SERIES;
    settings.metrics.max_series = SERIES;
    let registry = Registry::with_settings(settings);
    let family = registry
        .counter("things_total", "Things")
        .labels::<[Text; 1]>(["number"])
        .unwrap();
    for number in 0..SERIES {
        family.inc(&[itoa::Buffer::new().format(number)]);
    }
    for format in [Format::TEXT, Format::OPEN_METRICS, Format::PROTOBUF] {
        let (bytes, written) = peak(&registry, format);
        assert_eq!(written.series, SERIES as u64);
        assert!(written.bytes > 20_000_000);
        assert!(bytes < 256 * 1024, "{format:?}: {bytes} bytes");
    }
}

#[test]
fn a_chunk_ends_after_the_series_that_fills_it() {
    let registry = Registry::new();
    let bounds: Vec<f64> = (0..256).map(f64::from).collect();
    let family = registry
        .histogram("sizes", "Large series, 130 kB each")
        .buckets(&bounds)
        .labels::<[Text; 2]>(["a", "b"])
        .unwrap();
    for number in 0..200 {
        let long = format!("{number:0>256}");
        family.observe(&[&long, &long], 1.0);
    }
    let (bytes, written) = peak(&registry, Format::TEXT);
    assert_eq!(written.series, 200);
    assert!(written.bytes > 20_000_000);
    assert!(bytes < 1_000_000, "{bytes} bytes");
}
