//! Builds the health report from the reports of the other modules.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::Selfheal;
use super::ready::Application;
use crate::config::Config;
use crate::health::{
    Check, Component, Contributor, Report, Score, Source, Traffic, TrafficWindow, score,
};
use crate::registry::{DeclareError, Figures, Number, Registry};
use crate::util::Clock;

/// The window of traffic that counts for the score.
const WINDOW: Duration = Duration::from_secs(300);

/// Builds health reports.
pub(super) struct Health {
    clock: Clock,
    started: Instant,
    service: String,
    version: Mutex<Cow<'static, str>>,
    contributors: Mutex<Vec<Arc<dyn Contributor>>>,
    window: Mutex<TrafficWindow>,
    /// The readiness reported by the application.
    pub(super) application: Application,
}

impl Health {
    pub(super) fn new(config: &Config, clock: Clock) -> Self {
        Self {
            started: clock.now(),
            clock,
            service: config.service_name().to_owned(),
            version: Mutex::new(config.service.version.clone().unwrap_or_default().into()),
            contributors: Mutex::default(),
            window: Mutex::new(TrafficWindow::new(WINDOW)),
            application: Application::new(config.service.wait_until_serving),
        }
    }

    /// Sets the version of the build.
    pub(super) fn built_from(&self, version: &'static str) {
        *self.version.lock() = version.into();
    }

    pub(super) fn add(&self, contributor: Arc<dyn Contributor>) {
        self.contributors.lock().push(contributor);
    }

    /// Returns the contributors, cloned so that no lock is held while they are called.
    fn contributors(&self) -> Vec<Arc<dyn Contributor>> {
        self.contributors.lock().clone()
    }

    fn parts(&self) -> (Vec<Component>, Score, Option<(Traffic, Duration)>) {
        let contributors = self.contributors();
        let components: Vec<_> = contributors
            .iter()
            .flat_map(|one| one.components())
            .collect();
        let counters = contributors
            .iter()
            .filter_map(|one| one.traffic())
            .reduce(|a, b| Traffic {
                good: a.good + b.good,
                total: a.total + b.total,
            });
        let now = self.clock.now();
        let traffic = counters.map(|counters| self.window.lock().sample_lasting(now, counters));
        let score = score(traffic.map(|(traffic, _)| traffic), &components);
        (components, score, traffic)
    }
}

#[doc(hidden)]
impl Source for Arc<Health> {
    fn report(&self) -> Report {
        let (components, score, traffic) = self.parts();
        let contributors = self.contributors();
        let mut report = Report::new(score, components);
        report.service.clone_from(&self.service);
        report.version = self.version.lock().to_string();
        let up = self.clock.now().saturating_duration_since(self.started);
        report.uptime_seconds = up.as_secs_f64();
        report.facts = contributors.iter().flat_map(|one| one.facts()).collect();
        report.facts.extend(self.application.fact());
        report.ready = self.ready();
        report.live = self.live();
        report.alerts = contributors.iter().flat_map(|one| one.alerts()).collect();
        report.alerts.sort_by_key(|note| std::cmp::Reverse(note.at));
        report.recent = contributors.iter().flat_map(|one| one.recent()).collect();
        report.recent.sort_by_key(|note| std::cmp::Reverse(note.at));
        report.open = contributors.iter().flat_map(|one| one.open()).collect();
        report.guards = contributors.iter().flat_map(|one| one.guards()).collect();
        if let Some((traffic, lasting)) = traffic {
            report.traffic = Some(traffic);
            report.traffic_seconds = lasting.as_secs_f64();
        }
        report
    }

    fn ready(&self) -> Check {
        let own = self.application.ready();
        let others = self.contributors();
        first_no(std::iter::once(own).chain(others.iter().map(|one| one.ready())))
    }

    fn live(&self) -> Check {
        first_no(self.contributors().iter().map(|one| one.live()))
    }
}

fn first_no(mut checks: impl Iterator<Item = Check>) -> Check {
    checks.find(|check| !check.ok).unwrap_or_else(Check::passed)
}

/// Exposes the score as a metric.
pub(super) fn expose(health: &Arc<Health>, registry: &Registry) -> Result<(), DeclareError> {
    let figures = Figures::<Score>::new("health")
        .gauge(
            "system_health_score",
            "Share of traffic that can be expected to be served well, 0 to 100; the unknown counts \
             as bad",
            |score| Number::F64(score.low),
        )
        .gauge(
            "system_health_score_upper",
            "The health score if everything unknown is good",
            |score| Number::F64(score.high),
        )
        .gauge(
            "system_health_coverage_ratio",
            "Share of the health score's inputs that is known",
            |score| Number::F64(score.coverage),
        );
    let health = Arc::clone(health);
    registry.collect_figures(figures, move || Some(health.parts().1))
}

impl Selfheal {
    /// Adds a contributor to health reports.
    pub fn contribute(&self, contributor: impl Contributor) {
        self.inner.health.add(Arc::new(contributor));
    }

    /// Builds the health report, the content of `/health`.
    #[must_use]
    pub fn report(&self) -> Report {
        self.inner.health.report()
    }
}
