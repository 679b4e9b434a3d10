//! A scrape of 1,000,000 series while a thread records.
//! `cargo bench -p selfheal-benches --bench scrape`
//!
//! It prints what the scrape takes: time, the largest chunk that a writer is handed, and heap
//! beyond what was there before. Then what can keep a recording thread waiting, in three ways,
//! since a clock on the wall sees the turns of the scheduler as well:
//!
//! - The longest that anything is locked: each piece of work is repeated, and of all repetitions
//!   of one piece the shortest counts, as it has no turn of the scheduler in it. Of the pieces the
//!   longest counts.
//! - How often the recording thread gave up its core of its own accord, as one does that waits
//!   for a lock. The kernel counts these apart from those where the thread was taken off its core.
//! - How long its slowest operation took, without a scraper and with one that scrapes all the
//!   time, on cores of their own where `taskset` is there.
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

mod holds;
mod probes;
mod threads;

use threads::{Switches, pin};

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

/// The measurements of a thread that recorded for a while.
struct Recorded {
    /// By a handle, by labels that are there, and by new ones.
    stalls: [Stalls; 3],
    switches: Switches,
}

/// Records for three seconds on the first core.
fn record(family: &Family<Counter, [Text; 2]>, round: usize) -> Recorded {
    pin(0);
    let mut stalls = <[Stalls; 3]>::default();
    let handle = family.with(&["GET", "0000000"]);
    let mut text = String::new();
    let mut number = 0;
    let before = Switches::of_this_thread();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        number += 1;
        stalls[0].time(|| handle.inc());
        name(&mut text, number * 7919 % SERIES);
        stalls[1].time(|| family.inc(&["GET", &text]));
        if number % 64 == 0 {
            name(&mut text, SERIES + round * 500_000 + number / 64);
            stalls[2].time(|| family.inc(&["GET", &text]));
        }
    }
    Recorded {
        stalls,
        switches: Switches::of_this_thread() - before,
    }
}

fn name(text: &mut String, number: usize) {
    use std::fmt::Write as _;
    text.clear();
    write!(text, "{number:07}").unwrap();
}

/// A registry that takes so many series.
fn registry(series: usize) -> Registry {
    let mut settings = Settings::default();
    settings.metrics.max_series = series;
    settings.metrics.max_series_per_family = series;
    Registry::with_settings(settings)
}

fn family(registry: &Registry) -> Family<Counter, [Text; 2]> {
    registry
        .counter("requests_total", "Requests")
        .labels(["method", "customer"])
        .unwrap()
}

fn main() {
    selfheal_benches::print("what is locked, at the longest", &holds::lines());

    selfheal_benches::print("while there are 100,000 series", &probes::lines());

    let registry = registry(4 * SERIES);
    let family = family(&registry);
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

    let done = AtomicBool::new(false);
    let (quiet, busy, scrapes) = std::thread::scope(|scope| {
        let quiet = scope.spawn(|| record(&family, 0)).join().unwrap();
        let scraper = scope.spawn(|| {
            pin(1);
            let mut scrapes = 0;
            while !done.load(Ordering::Relaxed) {
                scrape(&registry);
                scrapes += 1;
            }
            scrapes
        });
        let busy = scope.spawn(|| record(&family, 1)).join().unwrap();
        done.store(true, Ordering::Relaxed);
        (quiet, busy, scraper.join().unwrap())
    });
    println!("\n| recording, 3 s each | without a scrape | during {scrapes} scrapes |");
    println!("|---|---|---|");
    let waits = |recorded: &Recorded| recorded.switches.waited;
    println!(
        "| waited for a lock | {} times | {} times |",
        waits(&quiet),
        waits(&busy)
    );
    let taken = |recorded: &Recorded| recorded.switches.taken_off;
    println!(
        "| was taken off its core | {} times | {} times |",
        taken(&quiet),
        taken(&busy)
    );
    for (at, what) in ["by handle", "by labels", "a new series"]
        .iter()
        .enumerate()
    {
        let reported = |recorded: &Recorded| {
            let stalls = &recorded.stalls[at];
            format!(
                "{:.1} µs, {} of {} above 50 µs",
                stalls.longest.as_secs_f64() * 1e6,
                stalls.above,
                stalls.operations
            )
        };
        println!(
            "| {what}, the longest | {} | {} |",
            reported(&quiet),
            reported(&busy)
        );
    }
}
