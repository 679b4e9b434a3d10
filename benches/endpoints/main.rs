//! The cost of the endpoints in regular use, on a listener of their own beside an application.
//! `cargo bench -p selfheal-benches --bench endpoints`
//!
//! - 2,000 scrapes a second of 1,000 series, from 50 connections that stay: how long a scrape takes
//!   from when it was due, and what another route of the application waits meanwhile. The scrapers
//!   are a process of their own, but on the same two cores: what a route waits beside a plain
//!   listener that answers the same scrapers with the same bytes, ready in memory, is what so many
//!   bytes and their clients cost here. That was 13 to 110 % more than when no one scrapes, so 5 % is
//!   missed by the plain one, too; what is ours is the difference between the two.
//! - A listener that no one asks, and one with the page open in a browser: memory and processor of
//!   the whole process, healing and the recent past of the metrics included, over those of the same
//!   application before.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark may end on what cannot happen"
)]

mod idle;
mod scrapers;
mod server;

use std::time::Duration;

use selfheal_benches::{Line, Waits, asked, print};

use scrapers::Load;

/// How long each is measured in a round.
const EACH: Duration = Duration::from_secs(5);

const ROUNDS: u32 = 3;

/// The request, and its target.
const PAGES: [(&str, bool, &str); 4] = [
    ("identity", true, "selfheal"),
    ("identity", false, "the same bytes from a plain handler"),
    ("gzip", true, "selfheal"),
    ("gzip", false, "the same bytes from a plain handler"),
];

fn main() {
    if scrapers::are_we() || idle::are_we() {
        return;
    }
    let served = server::Served::start();
    let mut quiet = Waits::default();
    let mut found = PAGES.map(|_| (Waits::default(), Load::default()));
    for _ in 0..ROUNDS {
        quiet.add(asked(served.application, EACH).unwrap());
        for ((encoding, ours, _), (waits, load)) in PAGES.iter().zip(&mut found) {
            let address = if *ours { served.listener } else { served.plain };
            let scrapers = scrapers::start(address, encoding);
            waits.add(asked(served.application, EACH).unwrap());
            load.add(scrapers.end());
        }
    }
    let mut lines = Vec::new();
    for (pair, pages) in found.chunks(2).zip(PAGES.chunks(2)) {
        let work = format!("2,000 scrapes/s, 1,000 series, {}", pages[0].0);
        let both = |figure: &dyn Fn(&(Waits, Load)) -> f64| {
            [0, 1].map(|at| (pages[at].2, figure(&pair[at])))
        };
        let per_second = both(&|(_, load)| load.took.count() as f64 / load.seconds);
        lines.push(Line::new(format!("{work}: whole pages"), "/s", per_second));
        let failed = both(&|(_, load)| load.failed);
        lines.push(Line::new(format!("{work}: refused or cut"), "", failed));
        for (part, of, target) in [("p50", 500, ""), ("p99", 990, "< 10")] {
            let took = both(&|(_, load)| 1e3 * load.took.quantile(of));
            let line = Line::new(format!("{work}: a scrape, {part}"), "ms", took);
            lines.push(line.target(target));
        }
        for (part, of, target) in [("p50", 500, ""), ("p99", 990, "< 5 % more")] {
            let mut cells = both(&|(waits, _)| 1e3 * waits.quantile(of)).to_vec();
            cells.push(("no one scrapes", 1e3 * quiet.quantile(of)));
            let line = Line::new(format!("{work}: another route, {part}"), "ms", cells);
            lines.push(line.target(target));
        }
    }
    print("The endpoints under load", &lines);
    print("The endpoints at rest", &idle::lines());
}
