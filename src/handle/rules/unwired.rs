//! Alerts without an action: issues that are only reported.

use super::source::{Live, Source};
use super::wiring::Mapping;
use crate::healing::{Confirm, Context, HealError, HealingEngine, Issue, Observation, Plan, Risk};

/// The label `severity` of alerts that are no fault, such as one that always fires to show that
/// alerts arrive.
const NO_FAULT: &str = "none";

/// Detects the alerts that have no action.
pub(super) struct Unwired {
    source: Source,
    name: String,
    mapping: Mapping,
}

impl Unwired {
    pub(super) fn new(live: &Live) -> Self {
        Self {
            source: live.downgrade(),
            name: format!("{}s", live.name()),
            mapping: Mapping::default(),
        }
    }
}

impl HealingEngine for Unwired {
    fn name(&self) -> &str {
        &self.name
    }

    async fn detect(&self, cx: &Context) -> Result<Vec<Observation>, HealError> {
        let Some(live) = self.source.upgrade() else {
            return Ok(Vec::new());
        };
        live.declare_unknown(cx, |rule| rule.alerting.is_some());
        let wirings = live.watchers().wirings();
        let alerts = live.firing(|labels| {
            labels.get("severity") != Some(NO_FAULT)
                && !wirings.iter().any(|wiring| wiring.covers(labels))
        });
        let seen = alerts.iter();
        Ok(seen
            .map(|(_, alert)| self.mapping.observation(alert))
            .collect())
    }

    /// Already confirmed by its `for`.
    fn plan(&self, _: &Issue) -> Plan {
        Plan::report()
            .risk(Risk::Reversible)
            .confirm(Confirm::at_once())
    }

    async fn heal(&self, _: &Context, _: &Issue, _: &str) -> Result<(), HealError> {
        Err(HealError::permanent(
            "no action is set for this alert; set one with `rules.on`",
        ))
    }
}
