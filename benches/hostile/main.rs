//! The cost of fifty scrapers of a large page to another route of the application, on two workers.
//! `cargo bench -p selfheal-benches --bench hostile`
//!
//! The page has 5,000 histograms, 4.7 MB. The scrapers are a process of their own that gets what
//! the server leaves of the processors (`chrt --idle`), for they stand for other machines; a thread
//! of this process asks the other route every 2 ms, and what it waits counts from when it was due.
//! The same scrapers then ask a plain handler of axum for the same bytes, ready in memory: what
//! ours takes beyond that is our own, the rest is the price of so many bytes. With `-- short` it is
//! the worst of it, once: scrapers without a pause that take the page as it is.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark may end on what cannot happen"
)]

mod application;
mod scrapers;

use std::time::Duration;

use selfheal_benches::{Line, Waits, asked, print};

use scrapers::Load;

/// How long each is measured in a round.
const EACH: Duration = Duration::from_secs(4);

const ROUNDS: u32 = 3;

/// The paths of the server, and what is asked for there.
const PAGES: [(&str, &str, &str); 4] = [
    ("selfheal", "/metrics", "identity"),
    ("the same bytes from a plain handler", "/plain", "identity"),
    ("selfheal", "/metrics", "gzip"),
    ("the same bytes from a plain handler", "/plain.gz", "gzip"),
];

fn main() {
    if scrapers::are_we() {
        return;
    }
    let address = application::serve();
    let mut loads = vec![
        ("each once a second", Some(Duration::from_secs(1))),
        ("each without a pause", None),
    ];
    let (mut rounds, mut pages) = (ROUNDS, &PAGES[..]);
    if std::env::args().any(|argument| argument == "short") {
        loads.remove(0);
        (rounds, pages) = (1, &PAGES[..2]);
    }
    let mut quiet = Waits::default();
    let mut waits: Vec<Vec<(Waits, Load)>> = Vec::new();
    waits.resize_with(loads.len(), || {
        pages
            .iter()
            .map(|_| (Waits::default(), Load::default()))
            .collect()
    });
    for _ in 0..rounds {
        quiet.add(asked(address, EACH).unwrap());
        for ((_, pause), waits) in loads.iter().zip(&mut waits) {
            for ((_, path, encoding), (waits, load)) in pages.iter().zip(waits) {
                let scrapers = scrapers::start(address, path, encoding, *pause);
                waits.add(asked(address, EACH).unwrap());
                load.add(scrapers.end());
            }
        }
    }
    let mut lines = Vec::new();
    for ((load, _), waits) in loads.iter().zip(&waits) {
        for (pair, pages) in waits.chunks(2).zip(pages.chunks(2)) {
            let work = format!("50 scrapers, {load}, {}", pages[0].2);
            for (part, of) in [("p50", 500), ("p99", 990), ("p99.9", 999)] {
                let mut cells = vec![
                    (pages[0].0, pair[0].0.quantile(of)),
                    (pages[1].0, pair[1].0.quantile(of)),
                    ("no one scrapes", quiet.quantile(of)),
                ];
                for (_, cell) in &mut cells {
                    *cell *= 1e3;
                }
                let line = Line::new(format!("{work}: another route, {part}"), "ms", cells);
                lines.push(if part == "p99" {
                    line.target("< 5 more")
                } else {
                    line
                });
            }
            let per_second = |at: usize| {
                let (_, load) = &pair[at];
                (pages[at].0, load.whole / (EACH * rounds).as_secs_f64())
            };
            let cells = [per_second(0), per_second(1)];
            lines.push(Line::new(format!("{work}: whole pages"), "/s", cells));
            let other = |at: usize| (pages[at].0, pair[at].1.other);
            let cells = [other(0), other(1)];
            lines.push(Line::new(format!("{work}: refused or cut"), "", cells));
        }
    }
    print("Scrapers beside another route", &lines);
}
