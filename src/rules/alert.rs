//! The state machine of alerts, as in Prometheus.
//!
//! ```text
//!                 ┌── found, held for `for` ──> firing ──┐
//! found ──> pending                               not found, `keep_firing_for` over
//!                 └── not found ──> gone                 └──> resolved ── 15 min ──> gone
//! ```
//! One missing result ends a pending alert. `keep_firing_for` starts at the first missing result. A
//! firing alert whose rule gets a longer `for` is pending again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::file::{Alerting, FileRule};
use super::template::{Ask, Data};
use crate::promql::{InstantSample, Label, LabelSet, METRIC_NAME};
use crate::util::millis;

/// How long a resolved alert is kept, in milliseconds.
const RESOLVED: i64 = 15 * 60 * 1_000;

/// The label with the name of an alert.
pub const ALERT_NAME: &str = "alertname";

/// The state of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AlertState {
    /// It was firing and no longer is.
    Resolved,
    /// Its expression yields it, and its `for` has not elapsed.
    Pending,
    /// It fires.
    Firing,
}

impl AlertState {
    /// The value of the label `alertstate`; a resolved alert is `inactive` in Prometheus.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolved => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// An alert of a rule: a label set that its expression yielded. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RuleAlert {
    /// Its labels, including `alertname`.
    pub labels: LabelSet,
    /// Its annotations, sorted by name.
    pub annotations: Arc<[Label]>,
    /// The last value of its expression; zero for a native histogram.
    pub value: f64,
    /// Its state.
    pub state: AlertState,
    /// When its expression started to yield it.
    pub active_at: i64,
    /// When it started to fire.
    pub fired_at: Option<i64>,
    /// When it was resolved.
    pub resolved_at: Option<i64>,
    /// Since when it keeps firing although its expression does not yield it.
    pub keep_firing_since: Option<i64>,
}

/// A change of an alert's state.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AlertChange {
    /// The alert after the change.
    pub alert: RuleAlert,
    /// The state before; `None` if it is new.
    pub before: Option<AlertState>,
    /// The state now; `None` if it is gone.
    pub now: Option<AlertState>,
}

/// The alerts of one rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Alerts {
    active: HashMap<LabelSet, RuleAlert>,
}

/// The data of templates besides labels and value.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) external_labels: Arc<[Label]>,
    pub(super) external_url: Arc<str>,
}

impl Alerts {
    /// All alerts, including resolved ones, sorted by labels.
    pub(super) fn list(&self) -> Vec<RuleAlert> {
        let mut list: Vec<_> = self.active.values().cloned().collect();
        list.sort_by(|a, b| a.labels.cmp(&b.labels));
        list
    }

    /// Advances by one evaluation: `found` is the result of the expression, and `now` the time at
    /// which it was due, in milliseconds since 1970. Returns the changes. An error leaves the state unchanged, except
    /// that of the limit, which ends all alerts.
    pub(super) fn step(
        &mut self,
        rule: &FileRule,
        found: &[InstantSample],
        (now, limit): (i64, usize),
        surroundings: &Surroundings,
        ask: &mut Ask<'_>,
    ) -> Result<Vec<AlertChange>, String> {
        let Some(alerting) = &rule.alerting else {
            return Ok(Vec::new());
        };
        let mut given: HashMap<LabelSet, RuleAlert> = HashMap::with_capacity(found.len());
        for sample in found {
            let alert = new(rule, alerting, sample, now, surroundings, ask);
            if given.insert(alert.labels.clone(), alert).is_some() {
                return Err(
                    "two results have the same labels after the rule's own are added; \
                     make these different, or aggregate"
                        .to_owned(),
                );
            }
        }
        let mut changes = Vec::new();
        for (labels, alert) in &given {
            match self.active.get_mut(labels) {
                Some(known) if known.state != AlertState::Resolved => {
                    known.value = alert.value;
                    known.annotations = Arc::clone(&alert.annotations);
                }
                _ => {
                    self.active.insert(labels.clone(), alert.clone());
                }
            }
        }
        let mut active = 0;
        self.active.retain(|labels, alert| {
            let is_new = alert.active_at == now && alert.state == AlertState::Pending;
            let before = (!is_new).then_some(alert.state);
            let stays = advance(alert, alerting, now, given.contains_key(labels));
            let after = stays.then_some(alert.state);
            active += usize::from(stays && alert.state != AlertState::Resolved);
            if before != after {
                changes.push(AlertChange {
                    alert: alert.clone(),
                    before,
                    now: after,
                });
            }
            stays
        });
        if limit > 0 && active > limit {
            self.active.clear();
            return Err(format!(
                "it gives {active} alerts, more than the limit of {limit}; aggregate, or raise \
                 the `limit` of the group"
            ));
        }
        changes.sort_by(|a, b| a.alert.labels.cmp(&b.alert.labels));
        Ok(changes)
    }

    /// The pending and firing alerts.
    pub(super) fn active(&self) -> impl Iterator<Item = &RuleAlert> {
        let active = self.active.values();
        active.filter(|alert| alert.state != AlertState::Resolved)
    }

    /// All alerts, mutable.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut RuleAlert> {
        self.active.values_mut()
    }

    /// The current series `ALERTS`, and `ALERTS_FOR_STATE` unless its state from before a restart
    /// is not yet `restored`.
    pub(super) fn series(&self, restored: bool) -> impl Iterator<Item = (LabelSet, f64)> {
        self.active().flat_map(move |alert| {
            let state = alert.state.as_str();
            let alerts = alert.labels.with(METRIC_NAME, "ALERTS");
            // In whole seconds.
            let since = alert.active_at.div_euclid(1_000) as f64;
            let for_state = alert.labels.with(METRIC_NAME, "ALERTS_FOR_STATE");
            let first = (alerts.with("alertstate", state), 1.0);
            [Some(first), restored.then_some((for_state, since))]
                .into_iter()
                .flatten()
        })
    }
}

/// Creates an alert from a result of the expression.
fn new(
    rule: &FileRule,
    alerting: &Alerting,
    sample: &InstantSample,
    now: i64,
    surroundings: &Surroundings,
    ask: &mut Ask<'_>,
) -> RuleAlert {
    let value = sample.value.as_float().unwrap_or(0.0);
    let own = sample.labels.iter();
    let data = Arc::new(Data {
        labels: own
            .map(|(name, text)| (Arc::from(name), Arc::from(text)))
            .collect(),
        external_labels: Arc::clone(&surroundings.external_labels),
        external_url: Arc::clone(&surroundings.external_url),
        value,
        now,
    });
    // A template error becomes the text: an alert without its text is better than none.
    let mut expand = |template: &super::Template| -> Arc<str> {
        let rendered = template.render(&data, ask);
        rendered.unwrap_or_else(|error| format!("<error expanding template: {error}>").into())
    };
    let mut labels = sample.labels.without_name();
    for (name, template) in &rule.labels {
        labels = labels.with(name, expand(template));
    }
    let annotations = alerting.annotations.iter();
    RuleAlert {
        labels: labels.with(ALERT_NAME, Arc::clone(&rule.name)),
        annotations: annotations
            .map(|(name, template)| (Arc::clone(name), expand(template)))
            .collect(),
        value,
        state: AlertState::Pending,
        active_at: now,
        fired_at: None,
        resolved_at: None,
        keep_firing_since: None,
    }
}

/// Advances an alert, and returns whether it is kept.
fn advance(alert: &mut RuleAlert, alerting: &Alerting, now: i64, found: bool) -> bool {
    let for_long = |since: i64, long: Duration| now - since >= millis(long);
    if found {
        alert.keep_firing_since = None;
    } else {
        match alert.state {
            AlertState::Pending => return false,
            AlertState::Resolved => {
                return alert.resolved_at.is_some_and(|at| now - at <= RESOLVED);
            }
            AlertState::Firing => {
                let keep = alerting.keep_firing_for;
                let since = *alert.keep_firing_since.get_or_insert(now);
                if keep.is_zero() || for_long(since, keep) {
                    alert.state = AlertState::Resolved;
                    alert.resolved_at = Some(now);
                    return true;
                }
            }
        }
    }
    let held = for_long(alert.active_at, alerting.hold);
    match alert.state {
        AlertState::Pending if held => {
            alert.state = AlertState::Firing;
            alert.fired_at = Some(now);
        }
        // Its rule got a longer `for`.
        AlertState::Firing if !held => {
            alert.state = AlertState::Pending;
            alert.fired_at = None;
        }
        _ => {}
    }
    true
}
