//! What is compared, for the time and for the allocations.

use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use http_body_util::BodyExt;
use selfheal::http::HttpLayer;
use selfheal::registry::Registry;
use tower::ServiceExt;

/// The layer as it comes, with all metrics on.
pub(crate) const OURS: &str = "ours";

fn routes() -> Router {
    (0..20).fold(Router::new(), |router, n| {
        router.route(&format!("/resource{n}/{{id}}"), get(|| async { "hello" }))
    })
}

/// The contenders. `with_state` makes axum put the layers on now and not at each request.
pub(crate) fn contenders() -> Vec<(&'static str, Router)> {
    let registry = Registry::new();
    let (theirs, _handle) = axum_prometheus::PrometheusMetricLayer::pair();
    let ours = || HttpLayer::builder(&registry);
    let passing = tower::util::MapResponseLayer::new(|response: axum::response::Response| {
        response.map(|body| passing::Passing { body })
    });
    vec![
        ("bare", routes()),
        ("passing", routes().layer(passing)),
        (OURS, routes().layer(ours().build().unwrap())),
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

/// One request, its response body read to the end.
pub(crate) async fn pass(app: &Router) {
    let request = Request::builder()
        .uri("/resource7/42")
        .body(Body::empty())
        .unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    black_box(response.into_body().collect().await.unwrap());
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
