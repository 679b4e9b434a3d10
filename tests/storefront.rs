//! The storefront as a process: under load and chaos, everything is healed, and the numbers
//! on its page add up at every scrape and match what a real Prometheus server makes of them.

#![cfg(all(
    feature = "files",
    feature = "server",
    feature = "http",
    feature = "rules"
))]

mod support;

use std::time::Duration;

use support::adds_up;
use support::child::{Example, command};
use support::eventually;
use support::http::Request;
use support::prometheus::Prometheus;
use support::promtool;

const SECONDS: u64 = 16;

/// Starts the storefront and asserts the identities of each page until it ends.
fn storm(seconds: u64, load: &str, mut each: impl FnMut(&str)) -> (Example, u32) {
    let limit = seconds.to_string();
    let mut command = command(
        "storefront",
        &[
            "--listen",
            "127.0.0.1:0",
            "--load",
            load,
            "--chaos",
            "--for",
            &limit,
        ],
    );
    let shop = Example::listening(command.env("RUST_BACKTRACE", "1"));
    let url = shop.url("/metrics");
    let mut scrapes = 0;
    // The shop ends by itself; a refused scrape shows that it has.
    while let Ok(page) = Request::get(&url).send() {
        assert_eq!(page.status, 200);
        assert_eq!(
            adds_up::check(page.text(), "shop"),
            Ok(()),
            "at scrape {scrapes}"
        );
        each(page.text());
        scrapes += 1;
        // Waits for another process, which no injected clock reaches.
        std::thread::sleep(Duration::from_millis(20));
    }
    (shop, scrapes)
}

#[test]
fn everything_that_breaks_is_healed_and_the_numbers_add_up() {
    let mut strange = Vec::new();
    let (mut shop, scrapes) = storm(SECONDS, "50", |page| {
        // Customers ask only for orders that were made before.
        let lines = page.lines().filter(|line| {
            line.starts_with("shop_http_requests_total")
                && line.contains("path=\"/orders/{id}\"")
                && !line.contains("status=\"200\"")
        });
        strange.extend(lines.map(str::to_owned));
    });
    let status = shop.process.wait(Duration::from_secs(30));
    let said = shop.process.text();
    assert!(status.success(), "{said}");
    assert!(scrapes > 100, "{scrapes} scrapes");
    assert!(said.contains("the numbers add up"), "{said}");
    assert!(strange.is_empty(), "{strange:?}");
    for chaos in ["wrote garbage", "makes it panic", "supplier north is"] {
        assert!(said.contains(chaos), "{chaos} did not happen: {said}");
    }
    for noise in ["panicked at", "stack backtrace"] {
        assert!(!said.contains(noise), "{noise} buries the chaos: {said}");
    }
    // The summary says how each request ended, and why it was not served.
    let [sent, served, ends @ ..] = [
        "sent, of which",
        "were served",
        "were answered 404: one customer in 200",
        "were answered 502: the supplier was broken",
        "were answered 503: the till was jammed",
        "failed: no answer within 5 s",
    ]
    .map(|text| number_before(text, &said).unwrap());
    assert!(served > 0, "{said}");
    assert_eq!(sent, served + ends.iter().sum::<u64>(), "{said}");
    // The supplier is healed by an alert of `alerts.yml`; the times at which it was pending,
    // firing, acted on and verified are shown.
    let times = |line: &str| -> Option<Vec<f64>> {
        let words = line.strip_prefix("supplier")?.split_whitespace();
        words.map(|word| word.parse().ok()).collect()
    };
    let times = said
        .lines()
        .filter_map(times)
        .find(|times| times.len() == 4);
    let times = times.unwrap_or_else(|| panic!("no times of the supplier: {said}"));
    assert!(times.is_sorted(), "{times:?}");
    assert!(
        said.contains("alert SupplierUnusable (line 7): a fleet rule: evaluated"),
        "{said}"
    );
}

/// The number that stands before `text`.
fn number_before(text: &str, said: &str) -> Option<u64> {
    let (before, _) = said.split_once(text)?;
    before.split_whitespace().next_back()?.parse().ok()
}

/// A minute of load and chaos: everything is healed, and memory stays where it was once the
/// caches, connections and histories have filled.
#[test]
#[ignore = "takes a minute; run tests/all.sh"]
fn a_minute_of_chaos_leaves_memory_flat() {
    const MINUTE: u64 = 60;
    let mut memory = Vec::new();
    let (mut shop, _) = storm(MINUTE, "1000", |page| {
        let line = page
            .lines()
            .find(|line| line.starts_with("process_resident_memory_bytes"));
        let bytes: f64 = line.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
        memory.push(bytes / 1e6);
    });
    let status = shop.process.wait(Duration::from_secs(30));
    assert!(status.success(), "{}", shop.process.text());
    let highest = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
    let third = memory.len() / 3;
    let (before, after) = (
        highest(&memory[third..2 * third]),
        highest(&memory[2 * third..]),
    );
    assert!(after < before + 4.0, "from {before} MB to {after} MB");
}

#[test]
fn a_bad_flag_and_a_busy_address_are_clear_errors() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (flags, code, text) in [
        (["--listen", address.as_str()], 1, "cannot listen on"),
        (["--load", "many"], 2, "not a number"),
        (["--frobnicate", ""], 2, "no such flag"),
    ] {
        let mut command = command("storefront", &flags);
        let output = command.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(error.contains(text), "{error}");
    }
}

#[test]
#[ignore = "needs a real Prometheus server; run tests/all.sh"]
fn a_real_prometheus_reads_back_what_happened() {
    let limit = (SECONDS + 14).to_string();
    let shop = Example::start(
        "storefront",
        &[
            "--listen",
            "127.0.0.1:0",
            "--load",
            "100",
            "--chaos",
            "--for",
            &limit,
        ],
    );
    let page = Request::get(&shop.url("/metrics")).send().unwrap();
    let verdict = promtool::check_metrics(page.text());
    assert!(verdict.passed(), "{}", verdict.output);

    let prometheus = Prometheus::builder().job("shop", shop.address).start();
    prometheus.wait_until_up("shop");
    assert_eq!(prometheus.value("up{job=\"shop\"}"), Some(1.0));
    let at_least = |expression: &str, least: f64| {
        eventually(Duration::from_secs(25), expression, || {
            match prometheus.value(expression) {
                Some(value) if value >= least => Ok(value),
                other => Err(format!(
                    "{expression} is {other:?}, at least {least} is wanted"
                )),
            }
        })
    };
    at_least("sum(rate(shop_http_requests_total[10s]))", 20.0);
    let p99 = "histogram_quantile(0.99, sum by (le) (rate(shop_http_request_duration_seconds_bucket[10s])))";
    assert!(at_least(p99, 0.0).is_finite());
    for (component, issue_type) in [("config", "file_corrupt"), ("mailer", "task_panicked")] {
        at_least(
            &format!(
                "shop_healing_issues_detected_total{{component=\"{component}\",issue_type=\"{issue_type}\"}}"
            ),
            1.0,
        );
    }
    for action in ["restore", "restart"] {
        at_least(
            &format!("sum(shop_healing_attempts_total{{action=\"{action}\"}})"),
            1.0,
        );
        at_least(
            &format!("sum(shop_healing_success_total{{action=\"{action}\"}})"),
            1.0,
        );
    }
    at_least("shop_healing_issues_closed_total{outcome=\"healed\"}", 2.0);
    // At one instant of Prometheus' own storage, every issue that was opened is closed or open.
    let identity = "shop_healing_issues_opened_total + shop_healing_issues_restored_total \
        - ignoring(outcome) sum without (outcome) (shop_healing_issues_closed_total) \
        - ignoring(state) sum without (state) (shop_healing_issues_open)";
    assert_eq!(prometheus.value(identity), Some(0.0));
}
