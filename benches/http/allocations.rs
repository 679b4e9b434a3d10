//! How many allocations one request makes; `cargo bench -p selfheal-benches --bench http_allocations`.
//!
//! A bench of its own, for the allocator that counts takes time, which the other must not.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run must stop")]

mod contenders;

use selfheal_benches::{Contender, Line, print};
use tokio::runtime::Runtime;

use contenders::{PASSING, of_axum, of_tower};

fn main() {
    let runtime = Runtime::new().unwrap();
    let (axum, tower) = runtime.block_on(async { (of_axum(), of_tower()) });
    let lines = [
        over_bare(
            &runtime,
            "a warm request through axum, over no layer",
            &axum,
        )
        .target(format!("as {PASSING}")),
        over_bare(
            &runtime,
            "a warm request through a tower service, over no layer",
            &tower,
        )
        .target("0"),
    ];
    print("HTTP", &lines);
}

/// The allocations of each beyond the first, which has no layer.
fn over_bare(runtime: &Runtime, work: &str, contenders: &[Contender]) -> Line {
    let counts: Vec<_> = contenders
        .iter()
        .map(|one| allocations(runtime, one))
        .collect();
    let over = |at: usize| (contenders[at].name, counts[at] - counts[0]);
    let line = Line::new(work, "allocations", (1..contenders.len()).map(over));
    line.limit(format!("no layer at all: {:.0}", counts[0]))
}

fn allocations(runtime: &Runtime, contender: &Contender) -> f64 {
    const TIMES: u32 = 1_000;
    runtime.block_on(contender.run(1));
    let measured = allocation_counter::measure(|| {
        runtime.block_on(contender.run(TIMES));
    });
    // Without the future around them all.
    (measured.count_total - 1) as f64 / f64::from(TIMES)
}
