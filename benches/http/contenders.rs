//! The contenders, for the time and for the allocations.

#[path = "../shop.rs"]
mod shop;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::time::Instant;

use axum::Router;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Body;
use hyper::{Request, Response};
use selfheal::http::{HttpLayer, HttpLayerBuilder, HttpService, Load};
use selfheal::registry::Registry;
use selfheal::util::Clock;
use selfheal_benches::Contender;
use tower::{Layer, Service, ServiceExt, service_fn};

use shop::{routes, seventh};

/// The layer as it comes, with all metrics on.
pub(crate) const OURS: &str = "ours";

/// A layer that does nothing but wrap the body: what axum takes for any layer.
pub(crate) const PASSING: &str = "passing";

/// One request through an axum router of 20 routes. The first is the one without a layer.
pub(crate) fn of_axum() -> Vec<Contender> {
    let registry = Registry::new();
    let (theirs, _handle) = axum_prometheus::PrometheusMetricLayer::pair();
    let ours = || HttpLayer::builder(&registry);
    let passing = tower::util::MapResponseLayer::new(|response: axum::response::Response| {
        response.map(passing::Passing)
    });
    vec![
        router("bare", routes()),
        router(OURS, routes().layer(ours().build().unwrap())),
        router(PASSING, routes().layer(passing)),
        measured_by(&Load::default()),
        router(
            "ours, one in ten timed",
            routes().layer(ours().sample_rate(0.1).build().unwrap()),
        ),
        router(
            "ours, excluded",
            routes().layer(ours().exclude("/resource*").build().unwrap()),
        ),
        router(
            "ours, timed by the counter of the processor",
            routes().layer(ours().clock(Clock::tsc()).build().unwrap()),
        ),
        contender(
            "ours, around the router",
            around(ours()),
            axum::body::Body::empty,
        ),
        contender(
            "ours, around the router, timed by the counter",
            around(ours().clock(Clock::tsc())),
            axum::body::Body::empty,
        ),
        router("axum-prometheus", routes().layer(theirs)),
    ]
}

/// Ours, with its load kept.
pub(crate) fn measured_by(load: &Load) -> Contender {
    let layer = HttpLayer::builder(&Registry::new()).load(load);
    let routes = routes().layer(layer.build().unwrap());
    router("ours, with its load kept", routes)
}

fn around(layer: HttpLayerBuilder) -> HttpService<Router> {
    let layer = layer.route_by(seventh).build().unwrap();
    layer.layer(routes().with_state(()))
}

/// One request through a plain tower service, whose bodies are of types of its own.
pub(crate) fn of_tower() -> Vec<Contender> {
    let ours = |clock| {
        let layer = HttpLayer::builder(&Registry::new()).clock(clock);
        layer.route_by(seventh).build().unwrap().generic()
    };
    vec![
        contender("tower, bare", service_fn(hello), Empty::<Bytes>::new),
        contender(
            "tower, ours",
            ours(Clock::system()).layer(service_fn(hello)),
            Empty::<Bytes>::new,
        ),
        contender(
            "tower, ours, timed by the counter",
            ours(Clock::tsc()).layer(service_fn(hello)),
            Empty::<Bytes>::new,
        ),
    ]
}

fn hello<B>(_: Request<B>) -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
    ready(Ok(Response::new(Full::from("hello"))))
}

fn router(name: &'static str, router: Router) -> Contender {
    // With `with_state`, axum applies the layers now and not at each request.
    contender(name, router.with_state(()), axum::body::Body::empty)
}

/// Sends requests, and reads each response body to the end.
fn contender<S, B, R>(name: &'static str, service: S, body: fn() -> B) -> Contender
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible> + Clone + 'static,
    B: 'static,
    R: Body<Error: std::fmt::Debug>,
{
    Contender::new(name, move |times| {
        let service = service.clone();
        async move {
            let start = Instant::now();
            for _ in 0..times {
                pass(service.clone(), body()).await;
            }
            start.elapsed()
        }
    })
}

/// A separate function, so that a profiler distinguishes it from the setup.
#[inline(never)]
async fn pass<S, B, R>(service: S, body: B)
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
    R: Body<Error: std::fmt::Debug>,
{
    let request = Request::builder().uri("/resource7/42").body(body).unwrap();
    let response = service.oneshot(request).await.unwrap();
    black_box(response.into_body().collect().await.unwrap());
}

mod passing {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::{Body, Bytes, HttpBody};
    use hyper::body::{Frame, SizeHint};

    /// A body of another type, so that axum has to box it as it has to box ours.
    pub(crate) struct Passing(pub(crate) Body);

    impl HttpBody for Passing {
        type Data = Bytes;
        type Error = axum::Error;

        fn poll_frame(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
            Pin::new(&mut self.get_mut().0).poll_frame(cx)
        }

        fn is_end_stream(&self) -> bool {
            self.0.is_end_stream()
        }

        fn size_hint(&self) -> SizeHint {
            self.0.size_hint()
        }
    }
}
