//! A server under load over loopback sockets, with the layer and without it.
//!
//! `cargo bench -p selfheal-benches --bench load` starts each server twice, in this process, and
//! lets the clients of one wait while those of the other ask: they take turns, for what else the
//! machine does moves the throughput by more than the layer does. The figure is the time that
//! the whole process takes for a request, clients among it, for there are as many of them as
//! keep all cores busy.
//!
//! On two cores, with nothing else running: 1.8 to 3.4 % less HTTP requests, of some 115,000 a
//! second, 1.0 to 1.9 % less where the layer is around the router and timed by the counter of the
//! processor, and 0.4 to 2.3 % less gRPC calls, once 7.9. On one core (`taskset -c 0`), where
//! processes differ less: 2.4 % less HTTP requests, 2.0 % timed by the counter, 1.6 % around the
//! router besides, and 0.6 % for a layer that does nothing; 1.0 % less gRPC calls. 2.4 % are 0.36 of
//! 15 µs, more than `--bench http` finds, since the system and the clients run in between: code and
//! data of the layer are not in the nearest cache any more.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run must stop")]

mod grpc;
mod http;

use selfheal_benches::{Contender, Line, only, print, take_turns};
use tokio::runtime::Runtime;

/// Connections to each server.
const CLIENTS: u32 = 16;

/// The time beyond the first, which has no layer; ours is the second.
async fn measured(work: &str, contenders: &[Contender]) -> [Line; 2] {
    const ROUNDS: usize = 200;
    const REQUESTS: u32 = 100 * CLIENTS;
    let medians = take_turns(contenders, ROUNDS, REQUESTS).await;
    let per_second = |at: usize| (contenders[at].name, 1e9 / medians[at]);
    let less = |at: usize| {
        let share = 1.0 - medians[0] / medians[at];
        (contenders[at].name, 100.0 * share)
    };
    let all = (1..contenders.len()).map(less);
    [
        Line::new(work, "/s", [per_second(1), per_second(0)]),
        Line::new(format!("{work}: less throughput"), "%", all).target("≤ 2"),
    ]
}

async fn run() {
    let (http, grpc) = (http::contenders().await, grpc::contenders().await);
    for contenders in [&http, &grpc] {
        if let Some((one, times)) = only(contenders) {
            one.run(times).await;
            return;
        }
    }
    let mut lines = Vec::new();
    lines.extend(measured("HTTP/1.1 requests", &http).await);
    lines.extend(measured("gRPC unary calls", &grpc).await);
    print("Load over loopback", &lines);
}

fn main() {
    Runtime::new().unwrap().block_on(run());
}
