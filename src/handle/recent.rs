//! HTTP traffic over the last minutes, for older metric names that are gauges of it.

use std::time::Duration;

use parking_lot::Mutex;

use crate::catalog::Alias;
use crate::config::{Config, PLATFORM};
use crate::health::{Traffic, TrafficWindow};
use crate::http::DURATION;
use crate::registry::{DeclareError, Figures, Number, Registry, ValueRef};
use crate::util::Clock;

const WINDOW: Duration = Duration::from_secs(300);

/// Exposes them if a profile with these names is enabled: each scrape reads the durations of all
/// routes.
pub(super) fn start(
    config: &Config,
    registry: &Registry,
    clock: &Clock,
) -> Result<(), DeclareError> {
    if config.profiles_on().any(|profile| profile.word == PLATFORM) {
        expose(registry, clock)?;
    }
    Ok(())
}

pub(super) fn expose(registry: &Registry, clock: &Clock) -> Result<(), DeclareError> {
    let window = || {
        let mut window = TrafficWindow::new(WINDOW);
        // The window starts now, not at the first scrape.
        window.sample(clock.now(), Traffic::default());
        window
    };
    // The windows of requests and of the microseconds they took.
    let windows = Mutex::new([window(), window()]);
    let (reads, clock) = (registry.downgrade(), clock.clone());
    registry.collect_figures(figures(), move || {
        let (traffic, micros) = totals(&reads.upgrade()?);
        let now = clock.now();
        let [requests, times] = &mut *windows.lock();
        let recent = requests.sample(now, traffic);
        let took = Traffic {
            good: 0,
            total: micros,
        };
        let took = times.sample(now, took);
        Some(Recent {
            mean: took.total as f64 / 1e6 / recent.total as f64,
            errors: 1.0 - recent.success_ratio()?,
        })
    })
}

struct Recent {
    /// The mean time of a request, in seconds.
    mean: f64,
    /// The share answered with 5xx.
    errors: f64,
}

fn figures() -> Figures<Recent> {
    let alias = |name| Alias::new(PLATFORM, name).with_instance("pod");
    Figures::<Recent>::new("platform")
        .gauge(
            "http_recent_response_time_seconds",
            "Mean time of an HTTP request over the last five minutes",
            |recent| Number::F64(recent.mean),
        )
        .alias(alias("response_time").scaled(1_000.0))
        .gauge(
            "http_recent_error_ratio",
            "Share of HTTP requests of the last five minutes that were answered with 5xx",
            |recent| Number::F64(recent.errors),
        )
        .alias(alias("error_rate").scaled(100.0))
}

/// The totals so far: requests, those not answered with 5xx, and the microseconds they took.
fn totals(registry: &Registry) -> (Traffic, u64) {
    let (mut traffic, mut micros) = (Traffic::default(), 0.0);
    let scrape = registry.scrape_only(|name, _| name.ends_with(DURATION));
    for family in scrape.families() {
        family.each(&mut |labels, sample| {
            if let ValueRef::Histogram(histogram) = sample.value {
                let count = histogram.count();
                traffic.total += count;
                if !labels.contains("status=\"5") {
                    traffic.good += count;
                }
                micros += histogram.sum * 1e6;
            }
        });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded"
    )]
    let micros = micros as u64;
    (traffic, micros)
}
