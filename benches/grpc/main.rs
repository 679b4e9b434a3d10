//! One unary call through tonic's router, the request read and the response read to its
//! trailers, in process, without a socket.
//!
//! `cargo bench -p selfheal-benches --bench grpc` prints what each contender takes over no layer
//! at all, and what `MetricsInterceptor` takes by hand, without a call. On two cores, with
//! nothing else running, in ns, in seven processes:
//!
//! | | over no layer (1,705 – 1,803) |
//! |---|---|
//! | the layer of a server | 203 – 325, median 236 |
//! | the same, names of go-grpc-middleware | 192 – 326 |
//! | the same, names of OpenTelemetry | 176 – 310 |
//! | the layer of a client | 222 – 278 |
//! | the layer of a server, the method excluded | two thirds of that in the same run: a larger body to box |
//! | `MetricsInterceptor` by hand, no call | 107 |
//!
//! A shared machine has slow minutes, in which all of it, no layer too, takes one and a half
//! times as long. So read the time without a layer first.
//!
//! # Where it goes
//!
//! By callgrind (`valgrind --tool=callgrind BINARY --bench --only server`) a call is 18,780
//! instructions without a layer, 20,320 with that of a server and 20,710 with that of a client.
//! Of the 1,540:
//!
//! | what | instructions |
//! |---|---|
//! | the call: path, lookup of the method, in flight, spare state | 390 |
//! | the end: handles by code, counter, histogram, in flight, spare state | 220 |
//! | content type, timeout and status, read from headers and trailers | 190 |
//! | two readings of the clock and their difference | 190 |
//! | the frames of the request and of the response, and their counters | 240 |
//! | moving, allocating and freeing what axum boxes, which is larger by 24 bytes | 240 |
//! | the rest: future, body, dropping | 70 |
//!
//! By `perf record --only server` 50 ns are the clock, two times 25, which the machine sets; the
//! layer's own functions are another 90, most of them waiting in the eleven operations that lock
//! a cache line: in flight up and down, three counters, the histogram, and a count of references
//! for the body of the request, which may outlive its call.
//!
//! A client boxes the body of the request besides, for a `Channel` takes tonic's own type and no
//! other. How long that takes is up to the allocator, and differs from run to run more than all
//! the rest.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run must stop")]

use std::future::ready;
use std::hint::black_box;
use std::time::Instant;

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use selfheal::grpc::{GrpcClientLayer, GrpcLayer, GrpcNames, MetricsInterceptor};
use selfheal::registry::Registry;
use selfheal_benches::{Contender, Line, only, print, take_turns};
use tokio::runtime::Runtime;
use tonic::service::Routes;
use tower::{Layer, Service, ServiceExt};

#[path = "../../tests/support/echo.rs"]
mod echo;

type Call = http::Request<tonic::body::Body>;

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

fn calls<S, R>(name: &'static str, service: S) -> Contender
where
    S: Service<Call, Response = http::Response<R>, Error: std::fmt::Debug> + Clone + 'static,
    R: Body<Error: std::fmt::Debug>,
{
    Contender::new(name, move |times| {
        let service = service.clone();
        async move {
            let start = Instant::now();
            for _ in 0..times {
                let response = service.clone().oneshot(call()).await.unwrap();
                black_box(response.into_body().collect().await.unwrap().trailers());
            }
            start.elapsed()
        }
    })
}

/// The first is the one without a layer.
fn contenders() -> Vec<Contender> {
    let routes = || Routes::new(echo::Echo::default()).prepare();
    let server = |names| {
        let layer = GrpcLayer::builder(&Registry::new()).names(names).build();
        layer.unwrap().layer(routes())
    };
    let client = GrpcClientLayer::new(&Registry::new()).unwrap();
    let excluded = GrpcLayer::builder(&Registry::new()).exclude("test.Echo");
    let excluded = excluded.build().unwrap();
    vec![
        calls("bare", routes()),
        calls("server", server(GrpcNames::Catalog)),
        calls(
            "go-grpc-middleware's names",
            server(GrpcNames::GoGrpcMiddleware),
        ),
        calls("OpenTelemetry's names", server(GrpcNames::OpenTelemetry)),
        calls("client", client.layer(routes())),
        calls("excluded", excluded.layer(routes())),
        calls(
            "tonic_prometheus_layer",
            tonic_prometheus_layer::MetricsLayer::new().layer(routes()),
        ),
    ]
}

fn by_hand() -> Contender {
    let registry = Registry::new();
    Contender::new("by hand", move |times| {
        let start = Instant::now();
        for _ in 0..times {
            MetricsInterceptor::start_request_in(&registry, "test.Echo", "Unary").success();
        }
        ready(start.elapsed())
    })
}

async fn run() {
    const ROUNDS: usize = 500;
    const CALLS: u32 = 100;
    let contenders = contenders();
    if let Some((one, times)) = only(&contenders) {
        one.run(times).await;
        return;
    }
    let medians = take_turns(&contenders, ROUNDS, CALLS).await;
    let over = |at: usize| (contenders[at].name, medians[at] - medians[0]);
    let layers = Line::new(
        "a unary call, over no layer",
        "ns",
        (1..contenders.len()).map(over),
    );
    let by_hand = take_turns(&[by_hand()], ROUNDS, CALLS).await;
    let by_hand = Line::new(
        "`MetricsInterceptor` by hand",
        "ns",
        [("by hand", by_hand[0])],
    );
    let lines = [
        layers
            .target("≤ 300")
            .limit(format!("no layer at all: {:.0}", medians[0])),
        by_hand,
    ];
    print("gRPC", &lines);
}

fn main() {
    Runtime::new().unwrap().block_on(run());
}
