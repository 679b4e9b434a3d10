//! The example as a process: its calls are on its page, from both sides of the wire.

#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use support::child::Example;
use support::http::Request;

#[test]
fn the_page_has_the_calls_from_both_sides() {
    let tonic = Example::start("tonic", &["127.0.0.1:0"]);
    let page = Request::get(&tonic.url("/metrics")).send().unwrap();
    let has = |name: &str, method: &str, rest: &str| {
        let labels = format!("service=\"grpc.health.v1.Health\",method=\"{method}\"{rest}");
        let line = format!("shop_{name}{{{labels}}}");
        let found = page.text().lines().find_map(|l| l.strip_prefix(&line));
        found.map_or(0, |value| value.trim().parse::<u64>().unwrap())
    };
    for side in ["grpc", "grpc_client"] {
        let calls = format!("{side}_requests_total");
        assert_eq!(has(&calls, "Check", ",status=\"OK\""), 1, "{side}");
        assert_eq!(has(&calls, "Check", ",status=\"NOT_FOUND\""), 1, "{side}");
    }
    let sent = |side: &str| has(&format!("{side}_messages_sent_total"), "Watch", "");
    assert_eq!((sent("grpc"), sent("grpc_client")), (2, 1));
    let cancelled = "grpc_client_requests_total";
    assert_eq!(has(cancelled, "Watch", ",status=\"CANCELLED\""), 1);
    // The server notices it later, as another process.
    support::eventually(Duration::from_secs(10), "the server counts it", || {
        let page = Request::get(&tonic.url("/metrics")).send().unwrap();
        let line = "grpc.health.v1.Health\",method=\"Watch\",status=\"CANCELLED\"} 1\n";
        page.text()
            .contains(line)
            .then_some(())
            .ok_or_else(|| page.text().to_owned())
    });
}
