//! Metrics of the history's memory and of Alertmanager deliveries.

use crate::history::Stats;
use crate::registry::{DeclareError, Registry};
use crate::rules::Delivery;

crate::group! {
    /// The metrics of the history's memory.
    pub(super) struct HistoryMetrics: "history" {
        /// Memory used by the history of the metrics, which queries and rules read
        bytes: Gauge = "selfheal_history_bytes";
        /// Series in the history of the metrics
        series: Gauge = "selfheal_history_series";
        /// Values dropped from the history early because of its memory limit, the oldest first
        evicted: Counter = "selfheal_history_evicted_total";
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

crate::group! {
    /// The metrics of Alertmanager deliveries.
    pub(super) struct DeliveryMetrics: "alertmanager" {
        /// Alerts delivered by an Alertmanager, by result
        delivered: Counter = "selfheal_alerts_delivered_total" ["result"]
            .only("result", &Delivery::ALL.map(Delivery::as_str));
    }
}

impl DeliveryMetrics {
    pub(super) fn count(&self, became: &[Delivery]) {
        for one in became {
            self.delivered.inc(&(one.as_str(),));
        }
    }
}

/// Declares all of them, for the catalogue.
pub(in crate::handle) fn declare_all(registry: &Registry) -> Result<(), DeclareError> {
    registry.group::<HistoryMetrics>()?;
    registry.group::<DeliveryMetrics>().map(drop)
}
