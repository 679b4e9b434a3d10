//! The example as a process: what it asked of others is on its page.

#[path = "../support/mod.rs"]
mod support;

use support::child::Example;
use support::http::Request;

#[test]
fn outgoing() {
    let example = Example::start("outgoing", &["127.0.0.1:0"]);
    let page = Request::get(&example.url("/metrics")).send().unwrap();
    for line in [
        r#"shop_http_client_requests_total{method="GET",host="supplier",status="200"} 1"#,
        r#"shop_http_client_requests_total{method="GET",host="supplier",status="429"} 1"#,
        r#"shop_http_client_requests_total{method="GET",host="supplier",status="timeout"} 1"#,
        r#"shop_http_client_requests_total{method="GET",host="closed-shop",status="connection_refused"} 1"#,
        r#"shop_api_rate_limits_total{api="supplier"} 1"#,
        r#"shop_api_calls_total{api="closed-shop",status="error"} 1"#,
    ] {
        assert!(
            page.text().lines().any(|known| known == line),
            "{line} is not in\n{}",
            page.text()
        );
    }
}
