//! A scrape of 1,000,000 series while a thread records.
//! `cargo bench -p selfheal-benches --bench scrape`
//!
//! It prints what the scrape takes: time, the largest chunk that a writer is handed, and heap
//! beyond what was there before. And it prints how long the slowest operation of a recording
//! thread took: while nobody scrapes, and while somebody does all the time. Both are wall-clock
//! times: on a machine that has other work the system stops the recording thread now and then,
//! with or without a scrape. What a scrape adds is the difference, and the share of operations
//! above 50 µs says how much of it is chance.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark may end on what cannot happen"
)]

use std::hint::black_box;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use selfheal::encode::{Encoding, Format, encode};
use selfheal::registry::{Counter, Family, Registry, Settings, Text};

const SERIES: usize = 1_000_000;
const STALL: Duration = Duration::from_micros(50);

/// A reader who takes everything at once and keeps nothing.
#[derive(Default)]
struct Reader {
    largest: usize,
    bytes: usize,
}

impl Write for Reader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.largest = self.largest.max(bytes.len());
        self.bytes += black_box(bytes).len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn scrape(registry: &Registry) -> Reader {
    let mut reader = Reader::default();
    encode(
        &registry.scrape(),
        Format::TEXT,
        Encoding::Identity,
        &mut reader,
    )
    .unwrap();
    reader
}

/// The operations of a recording thread and how long they took.
#[derive(Default)]
struct Stalls {
    operations: u64,
    longest: Duration,
    above: u64,
}

impl Stalls {
    fn time(&mut self, operation: impl FnOnce()) {
        let start = Instant::now();
        operation();
        let took = start.elapsed();
        self.operations += 1;
        self.longest = self.longest.max(took);
        self.above += u64::from(took > STALL);
    }
}

/// Records for two seconds: by a handle, by labels that are there, and by new ones.
fn record(family: &Family<Counter, [Text; 2]>, round: usize) -> [Stalls; 3] {
    let mut stalls = <[Stalls; 3]>::default();
    let handle = family.with(&["GET", "0000000"]);
    let start = Instant::now();
    let mut number = 0;
    let mut text = String::new();
    while start.elapsed() < Duration::from_secs(2) {
        number += 1;
        stalls[0].time(|| handle.inc());
        name(&mut text, number * 7919 % SERIES);
        stalls[1].time(|| family.inc(&["GET", &text]));
        if number % 64 == 0 {
            name(&mut text, SERIES + round * 500_000 + number / 64);
            stalls[2].time(|| family.inc(&["GET", &text]));
        }
    }
    stalls
}

fn name(text: &mut String, number: usize) {
    use std::fmt::Write as _;
    text.clear();
    write!(text, "{number:07}").unwrap();
}

fn main() {
    let mut settings = Settings::default();
    settings.max_series = 4 * SERIES;
    settings.max_series_per_family = 4 * SERIES;
    let registry = Registry::with_settings(settings);
    let family: Family<Counter, [Text; 2]> = registry
        .counter("requests_total", "Requests")
        .labels(["method", "customer"])
        .unwrap();
    let mut text = String::new();
    for number in 0..SERIES {
        name(&mut text, number);
        family.inc(&["GET", &text]);
    }

    let start = Instant::now();
    let mut reader = Reader::default();
    let heap = allocation_counter::measure(|| reader = scrape(&registry));
    println!(
        "scrape of {SERIES} series: {:.0} ms, {} MB, largest chunk {} KB, extra heap at most {} KB",
        start.elapsed().as_secs_f64() * 1e3,
        reader.bytes / 1_000_000,
        reader.largest / 1_000,
        heap.bytes_max / 1_000,
    );
    assert!(heap.bytes_max < 1_000_000);

    let quiet = record(&family, 0);
    let done = AtomicBool::new(false);
    let (busy, scrapes) = std::thread::scope(|scope| {
        let scraper = scope.spawn(|| {
            let mut scrapes = 0;
            while !done.load(Ordering::Relaxed) {
                scrape(&registry);
                scrapes += 1;
            }
            scrapes
        });
        let busy = record(&family, 1);
        done.store(true, Ordering::Relaxed);
        (busy, scraper.join().unwrap())
    });
    println!(
        "\n| recording, 2 s each | without a scrape | above 50 µs | during {scrapes} scrapes | above 50 µs |"
    );
    println!("|---|---|---|---|---|");
    for (what, (quiet, busy)) in ["by handle", "by labels", "a new series"]
        .into_iter()
        .zip(quiet.iter().zip(&busy))
    {
        println!(
            "| {what} | {:.1} µs | {} of {} | {:.1} µs | {} of {} |",
            quiet.longest.as_secs_f64() * 1e6,
            quiet.above,
            quiet.operations,
            busy.longest.as_secs_f64() * 1e6,
            busy.above,
            busy.operations,
        );
    }
}
