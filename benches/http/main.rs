//! One request, its body read to the end, in process: through an axum router of 20 routes, and
//! through a plain tower service whose body types stay as they are.
//!
//! `cargo bench -p selfheal-benches --bench http` prints what each contender takes over no layer
//! at all. `passing` is a layer that does nothing but wrap the body: what axum charges for any
//! layer (it boxes the service, the future and the body once more). The difference between it
//! and `ours` is the recording itself. On two cores, with nothing else running, in ns; a process
//! differs from the next by some 20, for it matters where the stack lies:
//!
//! | | over no layer (650 – 711) |
//! |---|---|
//! | passing | 104 – 152 |
//! | ours | 261 – 284 |
//! | ours, timed by the counter of the processor | 219 – 248 |
//! | ours, one in ten timed | 185 – 212 |
//! | ours, excluded | 124 – 153 |
//! | ours, around the router | 155 – 223 |
//! | ours, around the router, timed by the counter | 123 – 178 |
//! | axum-prometheus | 1,195 – 1,221 |
//! | ours around a plain tower service (176 – 196) | 146 – 191 |
//! | the same, timed by the counter | 104 – 147 |
//!
//! # Where it goes
//!
//! `valgrind --tool=callgrind BINARY --bench --only ours` (or `passing`, `"tower, ours"`) and
//! `callgrind_annotate`: of 9,980 instructions for a request, its making among them, 8,620 are
//! there with `passing` and 7,540 without a layer. The recording is the rest:
//!
//! | what | instructions |
//! |---|---|
//! | four histograms: first byte, duration, and the two sizes | 410 |
//! | the end: handles by status, counter, in flight, spare state | 300 |
//! | the call: exclusion, route, the series that the service remembers, in flight | 310 |
//! | two readings of the clock and their difference | 110 |
//! | future and body: stage, size hint, sizes of frames | 160 |
//! | moving the future once more | 60 |
//!
//! # What is left
//!
//! In ns, of 206 that the layer takes around a plain service, by `perf record` of it and of the
//! service alone:
//!
//! | what | ns |
//! |---|---|
//! | two readings of the clock, and the seconds between them | 52 |
//! | call, poll and body: path, route, spare state, the reference count of a cloned service | 45 |
//! | moves of request, future and response, by value from layer to layer | 41 |
//! | four histograms: the search of the bucket, and one locked operation each | 36 |
//! | the end: handles by status, counter, traffic, in flight | 23 |
//! | drops, and the key of the series | 9 |
//!
//! Ten operations are locked, some 5 each: the reference count and in flight up and down, good or
//! bad, the counter, and the four histograms. None repeats another: the counter is that of one
//! route and status, the traffic that of all, which the score reads in constant time. Tried without
//! gain: a request that is taken apart instead of mapped, one scope for all calls of application
//! code.
//!
//! axum adds what `passing` shows: three boxes (the service that it clones, its future, the body),
//! 16 to 20 each, and moves of a future that holds the whole request. Of these one is ours: beside
//! the guard the future of some 340 bytes is not made where it stays. Around the whole router
//! there is but one box, for the body; but there the route is not known, and a closure names it.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run must stop")]

mod contenders;

use std::hint::black_box;
use std::time::{Duration, Instant};

use selfheal::http::Load;
use selfheal_benches::{Contender, Line, only, print, take_turns};
use tokio::runtime::Runtime;

use contenders::{OURS, PASSING, of_axum, of_tower};

const ROUNDS: usize = 300;
const REQUESTS: u32 = 500;

/// The time of each beyond the first, which has no layer; ours is the second.
async fn over_bare(work: &str, contenders: &[Contender]) -> Line {
    let medians = take_turns(contenders, ROUNDS, REQUESTS).await;
    let cost = |at: usize| (contenders[at].name, medians[at] - medians[0]);
    let line = Line::new(work, "ns", (1..contenders.len()).map(cost));
    line.limit(format!("no layer at all: {:.0}", medians[0]))
}

/// The fastest of the rounds in which both figures of a load are read, some time after a request.
async fn load_read() -> f64 {
    const READINGS: u32 = 10_000;
    let load = Load::default();
    contenders::measured_by(&load).run(1).await;
    assert!(load.latency().is_some());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let round = || {
        let start = Instant::now();
        for _ in 0..READINGS {
            let load = black_box(&load);
            black_box((load.in_flight(), load.latency()));
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(READINGS)
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

async fn run() {
    // axum-prometheus spawns a task at setup.
    let (axum, tower) = (of_axum(), of_tower());
    for contenders in [&axum, &tower] {
        if let Some((one, times)) = only(contenders) {
            one.run(times).await;
            return;
        }
    }
    let mut lines = vec![
        over_bare("a request through axum, over no layer", &axum)
            .await
            .target("≤ 200"),
        over_bare("a request through a tower service, over no layer", &tower)
            .await
            .target("≤ 200"),
    ];
    let cost = |name| {
        lines[0]
            .cells
            .iter()
            .find(|cell| cell.0 == name)
            .map_or(0.0, |cell| cell.1)
    };
    let recording = cost(OURS) - cost(PASSING);
    lines.push(Line::new(
        "the recording: ours over passing",
        "ns",
        [(OURS, recording)],
    ));
    lines.push(
        Line::new(
            "both figures of the load",
            "ns",
            [("ours", load_read().await)],
        )
        .target("≤ 20"),
    );
    print("HTTP", &lines);
}

fn main() {
    Runtime::new().unwrap().block_on(run());
}
