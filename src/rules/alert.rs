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
use super::template::Ask;
use super::texts::{Surroundings, Texts};
use crate::promql::{InstantSample, Label, LabelSet};
use crate::util::millis;

/// How long a resolved alert is kept, in milliseconds.
const RESOLVED: i64 = 15 * 60 * 1_000;

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
    texts: Texts,
    /// A buffer for the value and the annotations of each alert that an evaluation gives.
    given: HashMap<LabelSet, (f64, Arc<[Label]>)>,
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
        self.given.clear();
        for sample in found {
            let (labels, annotations) =
                self.texts
                    .of((rule, alerting), sample, (now, surroundings), ask);
            let value = sample.value.as_float().unwrap_or(0.0);
            if self.given.insert(labels, (value, annotations)).is_some() {
                return Err(
                    "two results have the same labels after the rule's own are added; \
                     make these different, or aggregate"
                        .to_owned(),
                );
            }
        }
        self.texts.drop_others();
        let given = &self.given;
        let mut changes = Vec::new();
        for (labels, (value, annotations)) in given {
            match self.active.get_mut(labels) {
                Some(known) if known.state != AlertState::Resolved => {
                    known.value = *value;
                    known.annotations = Arc::clone(annotations);
                }
                _ => {
                    let alert = new(labels, *value, annotations, now);
                    self.active.insert(labels.clone(), alert);
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
    pub(super) fn active(&self) -> impl Iterator<Item = &RuleAlert> + Clone {
        let active = self.active.values();
        active.filter(|alert| alert.state != AlertState::Resolved)
    }

    /// All alerts, mutable.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut RuleAlert> {
        self.active.values_mut()
    }

    /// Drops what was rendered, since the rule may have other templates.
    pub(super) fn forget_texts(&mut self) {
        self.texts = Texts::default();
    }
}

/// Creates a pending alert.
fn new(labels: &LabelSet, value: f64, annotations: &Arc<[Label]>, now: i64) -> RuleAlert {
    RuleAlert {
        labels: labels.clone(),
        annotations: Arc::clone(annotations),
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
