//! Names and texts, by the linter of Prometheus.

use selfheal::collect::{self, ServiceInfo};
use selfheal::encode::Format;
use selfheal::registry::Registry;
use selfheal::util::Clock;

use crate::page;
use crate::support::promtool::check_metrics;

#[test]
#[ignore = "needs promtool, which tests/all.sh brings"]
#[cfg(all(feature = "system", feature = "tokio-metrics"))]
fn promtool_finds_nothing_to_lint() {
    let registry = Registry::new();
    let clock = Clock::system();
    collect::process(&registry).unwrap();
    collect::service(
        &registry,
        &clock,
        &ServiceInfo::new(selfheal::build_info!()),
    )
    .unwrap();
    let tokio = tokio::runtime::Runtime::new().unwrap();
    collect::runtime(&registry, tokio.handle()).unwrap();
    let mut sampler = collect::system(&registry, &clock).unwrap();
    sampler.refresh(clock.now());
    let page = page(&registry, Format::TEXT);
    for name in [
        "process_open_fds ",
        "uptime_seconds ",
        "tokio_workers ",
        "system_memory_percent ",
    ] {
        assert!(page.contains(&format!("\n{name}")), "no {name}in\n{page}");
    }
    let verdict = check_metrics(&page);
    assert!(verdict.passed(), "{}", verdict.output);
}
