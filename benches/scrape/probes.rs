//! Endpoints that do not read the series: the probes, and the score on the metrics page.

use std::future::Future;
use std::hint::black_box;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use selfheal::config::Metrics;
use selfheal::http::HttpMetrics;
use selfheal::{Config, Selfheal};
use selfheal_benches::Line;
use tower::ServiceExt;

use crate::holds::shortest;

const SERIES: usize = 100_000;
const TARGET: &str = "≤ 5";

pub(crate) fn lines() -> Vec<Line> {
    let metrics = Metrics::new().max_series_per_family(SERIES);
    let heal = Selfheal::new(Config::new().metrics(metrics)).unwrap();
    let app: Router = heal.router().layer(heal.http_layer());
    let metrics = heal.registry().group::<HttpMetrics>().unwrap();
    for n in 0..SERIES {
        metrics.requests.inc(&["GET", &format!("/{n}"), "200"]);
    }
    let line = |work: &str, took: Duration| {
        let cells = [("selfheal", took.as_secs_f64() * 1e6)];
        Line::new(work, "µs", cells).target(TARGET)
    };
    let ask = |path: &str| shortest(2_000, || answer(&app, path));
    vec![
        line("`/livez`, through the router", ask("/livez")),
        line("`/readyz`, through the router", ask("/readyz")),
        line(
            "the health score, collected by itself",
            shortest(2_000, || {
                let scrape = heal
                    .registry()
                    .scrape_only(|name, _| name == "system_health_score");
                assert_eq!(black_box(scrape).families().len(), 1);
            }),
        ),
    ]
}

fn answer(app: &Router, path: &str) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let mut answer = std::pin::pin!(app.clone().oneshot(request));
    let Poll::Ready(Ok(response)) = answer
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    else {
        unreachable!("there is nothing to wait for")
    };
    assert!(black_box(response).status().is_success());
}
