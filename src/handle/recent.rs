//! HTTP traffic over the last minutes, for older metric names that are gauges of it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::catalog::{Alias, Kind, MetricDef};
use crate::config::{Config, PLATFORM};
use crate::health::{Traffic, TrafficWindow};
use crate::http::DURATION;
use crate::registry::{
    Collector, DeclareError, FamilySnapshot, Number, Registry, SeriesSnapshot, Value, ValueRef,
};
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
    registry.collect_from(Arc::new(Recent {
        registry: registry.downgrade(),
        clock: clock.clone(),
        windows: Mutex::new([window(), window()]),
    }))
}

struct Recent {
    registry: crate::registry::WeakRegistry,
    clock: Clock,
    /// The windows of requests and of the microseconds they took.
    windows: Mutex<[TrafficWindow; 2]>,
}

fn defs() -> [MetricDef; 2] {
    let gauge = |name: &'static str, help: &'static str, alias: Alias| {
        let mut def = MetricDef::new(Kind::Gauge, name, help).alias(alias.with_instance("pod"));
        def.group = "platform";
        def
    };
    [
        gauge(
            "http_recent_response_time_seconds",
            "Mean time of an HTTP request over the last five minutes",
            Alias::new(PLATFORM, "response_time").scaled(1_000.0),
        ),
        gauge(
            "http_recent_error_ratio",
            "Share of HTTP requests of the last five minutes that were answered with 5xx",
            Alias::new(PLATFORM, "error_rate").scaled(100.0),
        ),
    ]
}

impl Recent {
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
}

impl Collector for Recent {
    fn describe(&self) -> Vec<MetricDef> {
        defs().to_vec()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let Some(registry) = self.registry.upgrade() else {
            return;
        };
        let (traffic, micros) = Self::totals(&registry);
        let now = self.clock.now();
        let mut windows = self.windows.lock();
        let [requests, times] = &mut *windows;
        let recent = requests.sample(now, traffic);
        let took = times.sample(
            now,
            Traffic {
                good: 0,
                total: micros,
            },
        );
        drop(windows);
        let Some(success) = recent.success_ratio() else {
            return;
        };
        let mean = took.total as f64 / 1e6 / recent.total as f64;
        for (def, value) in defs().into_iter().zip([mean, 1.0 - success]) {
            out.push(FamilySnapshot {
                def: Arc::new(def),
                series: vec![SeriesSnapshot::new([], Value::Number(Number::F64(value)))],
            });
        }
    }
}
