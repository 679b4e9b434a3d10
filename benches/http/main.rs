//! One request, its body read to the end, in process: through an axum router of 20 routes, and
//! through a plain tower service whose body types stay as they are.
//!
//! `cargo bench -p selfheal-benches --bench http` prints what each contender takes over no layer
//! at all. `passing` is a layer that does nothing but wrap the body: what axum charges for any
//! layer (it boxes the service, the future and the body once more). The difference between it
//! and `ours` is the recording itself. On two cores, with nothing else running, in ns:
//!
//! | | over no layer (644 – 650) |
//! |---|---|
//! | passing | 94 – 117 |
//! | ours | 267 – 289 |
//! | ours, one in ten timed | 194 – 212 |
//! | ours, excluded | 109 – 127 |
//! | axum-prometheus | 1,169 – 1,177 |
//! | ours around a plain tower service (175 – 217) | 148 – 176 |
//!
//! # Where it goes
//!
//! `valgrind --tool=callgrind BINARY --bench --only ours` (or `passing`, `"tower, ours"`) and
//! `callgrind_annotate`: of 10,130 instructions for a request, its making among them, 8,600 are
//! there with `passing` and 7,610 without a layer. The recording is the rest:
//!
//! | what | instructions |
//! |---|---|
//! | four histograms: first byte, duration, and the two sizes | 410 |
//! | the end: handles by status, counter, in flight, spare state | 300 |
//! | the call: exclusion, route, look-up of the series by route and method, in flight | 330 |
//! | two readings of the clock and their difference | 180 |
//! | future and body: stage, size hint, sizes of frames | 190 |
//! | moving request, response and future once more | 60 |
//! | dropping | 60 |
//!
//! By `perf record --only "tower, ours"` some 45 ns of it are the clock, two times 22, and some
//! 55 the histograms and counters, most of them waiting in the seven operations that lock a
//! cache line. What is left are the look-up and the stalls of moving a request that was just
//! written. So there is little to save but what is not recorded.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run must stop")]

mod contenders;

use selfheal_benches::{Contender, Line, only, print, take_turns};
use tokio::runtime::Runtime;

use contenders::{OURS, PASSING, of_axum, of_tower};

const ROUNDS: usize = 300;
const REQUESTS: u32 = 500;

/// What each takes over the first, which has no layer; ours is the second.
async fn over_bare(work: &str, contenders: &[Contender]) -> Line {
    let medians = take_turns(contenders, ROUNDS, REQUESTS).await;
    let cost = |at: usize| (contenders[at].name, medians[at] - medians[0]);
    let line = Line::new(work, "ns", (1..contenders.len()).map(cost));
    line.limit(format!("no layer at all: {:.0}", medians[0]))
}

async fn run() {
    // axum-prometheus spawns a task when it is set up.
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
    print("HTTP", &lines);
}

fn main() {
    Runtime::new().unwrap().block_on(run());
}
