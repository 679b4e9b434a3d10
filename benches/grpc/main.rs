//! One unary call through tonic's router, the request read and the response read to its
//! trailers, in process, without a socket. `bare` is the router without a layer.
//!
//! `cargo bench -p selfheal-benches --bench grpc` prints a table of all contenders first. On two
//! shared and busy cores, the lowest and the highest of six runs:
//!
//! | | ns | over bare | allocations |
//! |---|---|---|---|
//! | bare | 2,481 – 2,603 | | 35 |
//! | ours | 2,697 – 2,795 | 165 – 245 | 35 |
//! | ours, names of go-grpc-middleware | 2,695 – 2,771 | 144 – 217 | 35 |
//! | ours, names of OpenTelemetry | 2,650 – 2,743 | 112 – 181 | 35 |
//! | ours, the layer of a client (three runs) | 2,835 – 2,893 | 295 – 388 | 36 |
//! | `MetricsInterceptor` by hand, no call | 162 – 168 | | 0 |
//!
//! About 50 ns of it are two readings of the clock. By `perf`, the rest is spread thin: four
//! look-ups in header maps (content type, time-out, and the status in headers and trailers),
//! the look-up of the method, a dozen atomic operations, and moving a future and two bodies that
//! are larger by what the layer keeps in them. A client boxes the body of the request besides,
//! for a `Channel` takes tonic's own type and no other.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run must stop")]
#![allow(missing_docs, reason = "criterion's macro makes the one public item")]

use std::hint::black_box;
use std::pin::Pin;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use selfheal::grpc::{GrpcClientLayer, GrpcLayer, GrpcNames, MetricsInterceptor};
use selfheal::registry::Registry;
use tokio::runtime::Runtime;
use tonic::service::Routes;
use tower::{Layer, Service, ServiceExt};

#[path = "../../tests/support/echo.rs"]
mod echo;

type Call = http::Request<tonic::body::Body>;

const BY_HAND: &str = "MetricsInterceptor, no call";

/// A call as a server hands it on.
fn call() -> Call {
    let body = Full::new(Bytes::from_static(b"\0\0\0\0\x05hello"));
    http::Request::post("/test.Echo/Unary")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("user-agent", "tonic/0.14")
        .body(tonic::body::Body::new(body))
        .unwrap()
}

/// Makes so many calls and says how long they took.
type Calls = Box<dyn Fn(u32) -> Pin<Box<dyn Future<Output = Duration>>>>;

fn calls<S, R>(service: S) -> Calls
where
    S: Service<Call, Response = http::Response<R>, Error: std::fmt::Debug> + Clone + 'static,
    R: Body<Error: std::fmt::Debug>,
{
    Box::new(move |n| {
        let service = service.clone();
        Box::pin(async move {
            let start = Instant::now();
            for _ in 0..n {
                let response = service.clone().oneshot(call()).await.unwrap();
                black_box(response.into_body().collect().await.unwrap().trailers());
            }
            start.elapsed()
        })
    })
}

fn contenders() -> Vec<(&'static str, Calls)> {
    let routes = || Routes::new(echo::Echo::default()).prepare();
    let layered = |names| {
        let layer = GrpcLayer::builder(&Registry::new()).names(names).build();
        calls(layer.unwrap().layer(routes()))
    };
    let client = GrpcClientLayer::new(&Registry::new()).unwrap();
    let registry = Registry::new();
    let by_hand: Calls = Box::new(move |n| {
        let start = Instant::now();
        for _ in 0..n {
            MetricsInterceptor::start_request_in(&registry, "test.Echo", "Unary").success();
        }
        Box::pin(std::future::ready(start.elapsed()))
    });
    vec![
        ("bare", calls(routes())),
        ("ours", layered(GrpcNames::Catalog)),
        (
            "ours, names of go-grpc-middleware",
            layered(GrpcNames::GoGrpcMiddleware),
        ),
        (
            "ours, names of OpenTelemetry",
            layered(GrpcNames::OpenTelemetry),
        ),
        ("ours, the layer of a client", calls(client.layer(routes()))),
        (BY_HAND, by_hand),
    ]
}

/// The contenders take turns, so that what else the machine does meets all of them alike, and
/// the median of the turns is told. Criterion measures one after the other, which on a shared
/// machine compares the minutes more than the contenders.
fn table(runtime: &Runtime, contenders: &[(&'static str, Calls)]) {
    const ROUNDS: usize = 500;
    const CALLS: u32 = 100;
    let mut turns = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for round in 0..ROUNDS + 10 {
        for ((_, calls), turns) in contenders.iter().zip(&mut turns) {
            let took = runtime.block_on(calls(CALLS));
            if round >= 10 {
                turns.push(took.as_nanos() as f64 / f64::from(CALLS));
            }
        }
    }
    println!(
        "{:34} {:>8} {:>10} {:>12}",
        "", "ns", "over bare", "allocations"
    );
    let mut bare = None;
    for ((name, calls), turns) in contenders.iter().zip(&mut turns) {
        turns.sort_by(f64::total_cmp);
        let median = turns[turns.len() / 2];
        let over = median - *bare.get_or_insert(median);
        let measured = allocation_counter::measure(|| {
            runtime.block_on(calls(1_000));
        });
        // Without the box around the thousand.
        let each = (measured.count_total - 1) / 1_000;
        if *name == BY_HAND {
            println!("{name:34} {median:8.0} {:>10} {each:12}", "");
        } else {
            println!("{name:34} {median:8.0} {over:10.0} {each:12}");
        }
    }
}

fn one_unary_call(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let contenders = contenders();
    table(&runtime, &contenders);
    let mut group = c.benchmark_group("grpc");
    for (name, calls) in &contenders {
        group.bench_function(*name, |b| {
            b.iter_custom(|n| runtime.block_on(calls(n.try_into().unwrap_or(u32::MAX))));
        });
    }
    group.finish();
}

criterion_group!(benches, one_unary_call);
criterion_main!(benches);
