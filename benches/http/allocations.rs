//! How many allocations one request makes; `cargo bench -p selfheal-benches --bench http_allocations`.
//!
//! A bench of its own, for the allocator that counts takes time, which the other must not.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run must stop")]

mod contenders;

use axum::Router;
use selfheal_benches::{Line, print};
use tokio::runtime::Runtime;

use contenders::{OURS, contenders, pass};

fn main() {
    let runtime = Runtime::new().unwrap();
    let contenders = runtime.block_on(async { contenders() });
    let mut each: Vec<_> = contenders
        .iter()
        .map(|(name, app)| {
            runtime.block_on(pass(app));
            (*name, allocations(&runtime, app))
        })
        .collect();
    let bare = each.remove(0).1;
    for (_, count) in &mut each {
        *count -= bare;
    }
    each.sort_by_key(|(name, _)| *name != OURS);
    let line = Line::new("a warm request, over no layer", "allocations", each).target("0");
    print(
        "HTTP",
        &[line.limit(format!(
            "no layer at all: {bare:.0}; axum boxes each layer: 3"
        ))],
    );
}

fn allocations(runtime: &Runtime, app: &Router) -> f64 {
    const N: u32 = 1_000;
    let measured = allocation_counter::measure(|| {
        for _ in 0..N {
            runtime.block_on(pass(app));
        }
    });
    measured.count_total as f64 / f64::from(N)
}
