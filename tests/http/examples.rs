//! The examples as processes: what was sent to them is on their page.

#[path = "../support/mod.rs"]
mod support;

use support::child::Example;
use support::http::Request;

/// Whether the page has every one of these lines.
fn assert_lines(page: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            page.lines().any(|known| known == *line),
            "{line} is not in\n{page}"
        );
    }
}

fn page(example: &Example) -> String {
    let page = Request::get(&example.url("/metrics")).send().unwrap();
    page.text().to_owned()
}

#[cfg(feature = "server")]
#[test]
fn axum() {
    let example = Example::start("axum", &["127.0.0.1:0"]);
    for (path, plan) in [
        ("/api/orders/7", "free"),
        ("/api/orders/8", "free"),
        ("/api/orders/0", "stolen"),
        ("/assets/logo.svg", "paid"),
        ("/internal/debug", "free"),
        ("/wp-login.php", "free"),
    ] {
        let request = Request::get(&example.url(path)).header("x-plan", plan);
        request.send().unwrap();
    }
    Request::post(&example.url("/api/orders"), "one lamp")
        .send()
        .unwrap();
    assert_lines(
        &page(&example),
        &[
            r#"shop_http_requests_total{method="GET",path="/api/orders/{id}",status="200",plan="free"} 2"#,
            r#"shop_http_requests_total{method="GET",path="/api/orders/{id}",status="404",plan="other"} 1"#,
            r#"shop_http_requests_total{method="GET",path="assets",status="200",plan="paid"} 1"#,
            r#"shop_http_requests_total{method="POST",path="/api/orders",status="201",plan=""} 1"#,
            r#"shop_http_requests_total{method="GET",path="unmatched",status="404",plan="free"} 1"#,
            r#"shop_http_request_size_bytes_sum{method="POST",path="/api/orders",plan=""} 8"#,
            r"shop_http_requests_in_flight 0",
        ],
    );
}

#[test]
fn tower_stack() {
    let example = Example::start("tower_stack", &["127.0.0.1:0"]);
    for path in ["/greet/ann", "/greet/bob", "/wp-login.php"] {
        Request::get(&example.url(path)).send().unwrap();
    }
    Request::post(&example.url("/echo"), "twelve bytes")
        .send()
        .unwrap();
    assert_lines(
        &page(&example),
        &[
            r#"http_requests_total{method="GET",path="/greet/{name}",status="200"} 2"#,
            r#"http_requests_total{method="GET",path="unmatched",status="404"} 1"#,
            r#"http_request_size_bytes_sum{method="POST",path="/echo"} 12"#,
        ],
    );
}
