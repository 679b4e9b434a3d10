//! Metrics of the history's memory and of Alertmanager deliveries.

use crate::history::Stats;
use crate::registry::{Counter, DeclareError, Family, Gauge, Group, Registry, Text};
use crate::rules::Delivery;

/// The metrics of the history's memory.
pub(super) struct HistoryMetrics {
    bytes: Gauge,
    series: Gauge,
    evicted: Counter,
}

impl Group for HistoryMetrics {
    const NAME: &'static str = "history";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self {
            bytes: registry
                .gauge(
                    "selfheal_history_bytes",
                    "Memory used by the history of the metrics, which queries and rules read",
                )
                .build()?,
            series: registry
                .gauge(
                    "selfheal_history_series",
                    "Series in the history of the metrics",
                )
                .build()?,
            evicted: registry
                .counter(
                    "selfheal_history_evicted_total",
                    "Values dropped from the history early because of its memory limit, the oldest \
                     first",
                )
                .build()?,
        })
    }
}

impl HistoryMetrics {
    /// Sets the current values; `evicted` values were dropped before.
    pub(super) fn show(&self, stats: Stats, evicted: u64) {
        let shown = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.bytes.set(shown(stats.bytes));
        self.series.set(shown(stats.series));
        self.evicted.add(stats.evicted.saturating_sub(evicted));
    }
}

/// The metrics of Alertmanager deliveries.
pub(super) struct DeliveryMetrics {
    delivered: Family<Counter, [Text; 1]>,
}

impl Group for DeliveryMetrics {
    const NAME: &'static str = "alertmanager";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        let delivered = registry
            .counter(
                "selfheal_alerts_delivered_total",
                "Alerts delivered by an Alertmanager, by result",
            )
            .only("result", &Delivery::ALL.map(Delivery::as_str))
            .labels(["result"])?;
        Ok(Self { delivered })
    }
}

impl DeliveryMetrics {
    pub(super) fn count(&self, became: &[Delivery]) {
        for one in became {
            self.delivered.inc(&[one.as_str()]);
        }
    }
}

/// Declares all of them, for the catalogue.
pub(in crate::handle) fn declare_all(registry: &Registry) -> Result<(), DeclareError> {
    registry.group::<HistoryMetrics>()?;
    registry.group::<DeliveryMetrics>().map(drop)
}
