//! Chunks, compression, and what happens when the reader goes away or holds the writer up.

use std::io::{self, Write};
use std::time::Duration;

use selfheal::encode::{CHUNK, Encoding, Format, append, encode};
use selfheal::registry::{Counter, Family, Registry, Settings, Text};
use selfheal::util::Clock;

fn registry(series: usize) -> (Registry, Family<Counter, [Text; 1]>) {
    let mut settings = Settings::default();
    settings.metrics.max_series_per_family = series + 10;
    let registry = Registry::with_settings(settings);
    let family = registry
        .counter("things_total", "Things")
        .labels::<[Text; 1]>(["number"])
        .unwrap();
    for number in 0..series {
        family.add(&[number.to_string()], number as u64);
    }
    (registry, family)
}

/// Runs a function on each chunk.
struct Chunks<F>(F);

impl<F: FnMut(&[u8]) -> io::Result<()>> Write for Chunks<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0)(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn chunks_are_bounded_and_whole() {
    let (registry, _) = registry(20_000);
    let mut whole = Vec::new();
    let all = append(&registry.scrape(), Format::TEXT, &mut whole);
    let (mut sizes, mut joined) = (Vec::new(), Vec::new());
    let out = Chunks(|bytes: &[u8]| {
        sizes.push(bytes.len());
        joined.extend_from_slice(bytes);
        Ok(())
    });
    let written = encode(&registry.scrape(), Format::TEXT, Encoding::Identity, out).unwrap();
    assert!(joined == whole, "the same bytes by either way");
    assert_eq!(written, all);
    assert_eq!(written.series, 20_000);
    assert_eq!(written.bytes, whole.len() as u64);
    let (last, others) = sizes.split_last().unwrap();
    assert!(others.len() > 5 && *last <= CHUNK + 100);
    assert!(
        others
            .iter()
            .all(|size| (CHUNK..CHUNK + 100).contains(size)),
        "{sizes:?}"
    );
}

/// Would wait for ever, here on one thread, if the encoder held a lock while it writes.
#[test]
fn whatever_is_done_while_a_chunk_is_written_does_not_wait() {
    for format in [Format::TEXT, Format::OPEN_METRICS, Format::PROTOBUF] {
        let (registry, family) = registry(8_000);
        let sessions = registry
            .counter("sessions_total", "Sessions")
            .expire_after(Duration::from_nanos(1))
            .labels::<[Text; 1]>(["user"])
            .unwrap();
        let handle = family.with(&["0"]);
        let (clock, hand) = Clock::manual();
        let mut made = 0_usize;
        let out = Chunks(|_: &[u8]| {
            made += 1;
            handle.inc();
            family.inc(&["1"]);
            family.inc(&[format!("new {made}")]);
            assert!(family.remove(&[made.to_string()]));
            let name: &'static str = format!("later_{made}_total").leak();
            registry.counter(name, "").build().unwrap().inc();
            sessions.inc(&["a"]);
            for _ in 0..2 {
                registry.expire(clock.now());
                hand.advance(Duration::from_nanos(1));
            }
            assert!(sessions.is_empty());
            registry.configure((*registry.settings()).clone());
            Ok(())
        });
        let written = encode(&registry.scrape(), format, Encoding::Identity, out).unwrap();
        assert!(made >= 4, "{made}");
        let most = u64::try_from(made).unwrap();
        assert!(
            (8_000 - most..=8_000).contains(&written.series),
            "{written:?}"
        );
    }
}

#[test]
fn the_error_of_the_writer_ends_the_exposition() {
    let (registry, _) = registry(20_000);
    let mut calls = 0;
    let out = Chunks(|_: &[u8]| {
        calls += 1;
        Err(io::ErrorKind::BrokenPipe.into())
    });
    let error = encode(&registry.scrape(), Format::TEXT, Encoding::Identity, out).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(calls, 1);
}

#[test]
fn an_empty_registry_is_a_valid_page() {
    let mut page = Vec::new();
    let scrape = Registry::new().scrape();
    encode(&scrape, Format::TEXT, Encoding::Identity, &mut page).unwrap();
    assert!(page.is_empty());
    encode(&scrape, Format::OPEN_METRICS, Encoding::Identity, &mut page).unwrap();
    assert_eq!(page, b"# EOF\n");
}

/// Compresses a page and gives it back as `unpack` reads it.
#[cfg(any(feature = "gzip", feature = "zstd"))]
fn packed(encoding: Encoding, unpack: impl Fn(&[u8]) -> io::Result<Vec<u8>>) {
    let (registry, _) = registry(20_000);
    let (mut whole, mut packed) = (Vec::new(), Vec::new());
    append(&registry.scrape(), Format::OPEN_METRICS, &mut whole);
    let scrape = registry.scrape();
    let written = encode(&scrape, Format::OPEN_METRICS, encoding, &mut packed).unwrap();
    assert_eq!(written.bytes, whole.len() as u64, "before compression");
    assert!(packed.len() * 4 < whole.len());
    assert!(unpack(&packed).unwrap() == whole);
}

#[cfg(feature = "gzip")]
#[test]
fn gzip_is_read_back() {
    packed(Encoding::Gzip, |bytes| {
        let mut out = Vec::new();
        io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes), &mut out)?;
        Ok(out)
    });
}

#[cfg(feature = "zstd")]
#[test]
fn zstd_is_read_back() {
    packed(Encoding::Zstd, |bytes| zstd::decode_all(bytes));
}

#[cfg(not(feature = "gzip"))]
#[test]
fn a_compression_that_is_not_compiled_in_is_an_error_that_names_the_feature() {
    let scrape = Registry::new().scrape();
    let error = encode(&scrape, Format::TEXT, Encoding::Gzip, io::sink()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    assert!(error.to_string().contains("feature `gzip`"), "{error}");
}
