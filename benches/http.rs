//! One request through an axum router of 20 routes, its body read to the end, in process.
//!
//! `cargo bench --bench http` prints the allocations of each contender first. `passing` is a
//! layer that does nothing but wrap the body: what axum charges for any layer at all (it
//! boxes the service, the future and the body once more). The difference between it and
//! `ours` is the recording itself.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run must stop")]
#![allow(missing_docs, reason = "criterion's macro makes the one public item")]

use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use criterion::{Criterion, criterion_group, criterion_main};
use http_body_util::BodyExt;
use selfheal::http::HttpLayer;
use selfheal::registry::Registry;
use tokio::runtime::Runtime;
use tower::ServiceExt;

fn routes() -> Router {
    (0..20).fold(Router::new(), |router, n| {
        router.route(&format!("/resource{n}/{{id}}"), get(|| async { "hello" }))
    })
}

/// The contenders. `with_state` makes axum put the layers on now and not at each request.
fn contenders() -> Vec<(&'static str, Router)> {
    let registry = Registry::new();
    let (theirs, _handle) = axum_prometheus::PrometheusMetricLayer::pair();
    let ours = || HttpLayer::builder(&registry);
    let passing = tower::util::MapResponseLayer::new(|response: axum::response::Response| {
        response.map(|body| passing::Passing { body })
    });
    vec![
        ("bare", routes()),
        ("passing", routes().layer(passing)),
        ("ours", routes().layer(ours().build().unwrap())),
        (
            "ours, one in ten timed",
            routes().layer(ours().sample_rate(0.1).build().unwrap()),
        ),
        (
            "ours, excluded",
            routes().layer(ours().exclude("/resource*").build().unwrap()),
        ),
        ("axum-prometheus", routes().layer(theirs)),
    ]
    .into_iter()
    .map(|(name, router)| (name, router.with_state(())))
    .collect()
}

async fn pass(app: &Router) {
    let request = Request::builder()
        .uri("/resource7/42")
        .body(Body::empty())
        .unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    black_box(response.into_body().collect().await.unwrap());
}

fn one_request(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    // axum-prometheus spawns a task when it is set up.
    let contenders = runtime.block_on(async { contenders() });
    println!("allocations per request, warm:");
    for (name, app) in &contenders {
        runtime.block_on(pass(app));
        let measured = allocation_counter::measure(|| {
            for _ in 0..1_000 {
                runtime.block_on(pass(app));
            }
        });
        println!("{name:24} {:.1}", measured.count_total as f64 / 1_000.0);
    }
    let mut group = c.benchmark_group("http");
    for (name, app) in &contenders {
        group.bench_function(*name, |b| {
            // Not `to_async`: it would enter the runtime at each iteration of its own.
            b.iter_custom(|n| {
                runtime.block_on(async {
                    let start = std::time::Instant::now();
                    for _ in 0..n {
                        pass(app).await;
                    }
                    start.elapsed()
                })
            });
        });
    }
    group.finish();
}

mod passing {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::{Body, Bytes, HttpBody};

    /// A body of another type, so that axum has to box it as it has to box ours.
    pub(crate) struct Passing {
        pub(crate) body: Body,
    }

    impl HttpBody for Passing {
        type Data = Bytes;
        type Error = axum::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, axum::Error>>> {
            Pin::new(&mut self.get_mut().body).poll_frame(cx)
        }

        fn is_end_stream(&self) -> bool {
            self.body.is_end_stream()
        }

        fn size_hint(&self) -> hyper::body::SizeHint {
            self.body.size_hint()
        }
    }
}

criterion_group!(benches, one_request);
criterion_main!(benches);
