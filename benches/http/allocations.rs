//! How many allocations one request makes; `cargo bench --bench http_allocations`.
//!
//! A bench of its own, for the allocator that counts takes time, which the other must not.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run must stop")]

mod contenders;

use axum::Router;
use tokio::runtime::Runtime;

use contenders::{contenders, pass};

fn main() {
    let runtime = Runtime::new().unwrap();
    let contenders = runtime.block_on(async { contenders() });
    println!("allocations of one request, warm:");
    for (name, app) in &contenders {
        runtime.block_on(pass(app));
        println!("{name:24} {:5.1}", allocations(&runtime, app));
    }
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
