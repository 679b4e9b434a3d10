//! The last result of a rule. Series that stay the same are not rebuilt.

use std::collections::HashSet;
use std::sync::Arc;

use super::alert::RuleAlert;
use super::file::FileRule;
use crate::promql::{InstantSample, LabelSet, METRIC_NAME, PointValue};

/// The series with the start of each alert, as its value.
const FOR_STATE: &str = "ALERTS_FOR_STATE";

/// The label of `ALERTS` with the state of the alert.
const STATE: &str = "alertstate";

/// The series of a rule.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// For a recording rule, the labels of the expression's results.
    of: Vec<LabelSet>,
    /// The labels of each series.
    labels: Vec<LabelSet>,
    values: Vec<PointValue>,
}

impl Given {
    /// The current series and values.
    pub(super) fn series(&self) -> impl Iterator<Item = (&LabelSet, &PointValue)> {
        self.labels.iter().zip(&self.values)
    }

    /// The labels of the series.
    pub(super) fn into_labels(self) -> Vec<LabelSet> {
        self.labels
    }

    /// Replaces the series. Returns those that have ended.
    fn take(&mut self, series: Vec<(LabelSet, PointValue)>) -> Vec<LabelSet> {
        let before = std::mem::take(&mut self.labels);
        self.of.clear();
        self.values.clear();
        for (labels, value) in series {
            self.labels.push(labels);
            self.values.push(value);
        }
        let now: HashSet<&LabelSet> = self.labels.iter().collect();
        let before = before.into_iter();
        before.filter(|labels| !now.contains(labels)).collect()
    }

    /// Replaces the series by `ALERTS` of these alerts, and `ALERTS_FOR_STATE` unless its state from
    /// before a restart is not yet `restored`. Returns those that have ended.
    pub(super) fn alerts<'a>(
        &mut self,
        active: impl Iterator<Item = &'a RuleAlert> + Clone,
        restored: bool,
    ) -> Vec<LabelSet> {
        // In whole seconds.
        let since = |alert: &RuleAlert| alert.active_at.div_euclid(1_000) as f64;
        let (known, rest) = self.labels.as_chunks::<2>();
        let mut pairs = active.clone().zip(known);
        let are_known = restored
            && rest.is_empty()
            && active.clone().count() == known.len()
            && pairs.all(|(alert, [alerts, for_state])| {
                alerts.get(STATE) == Some(alert.state.as_str())
                    && for_state.name() == Some(FOR_STATE)
                    && for_state.without_name() == alert.labels
            });
        if are_known {
            self.values.clear();
            let values = active.flat_map(|alert| [1.0, since(alert)]);
            self.values.extend(values.map(PointValue::from));
            return Vec::new();
        }
        let series = active.flat_map(|alert| {
            let alerts = alert.labels.with(METRIC_NAME, "ALERTS");
            let for_state = alert.labels.with(METRIC_NAME, FOR_STATE);
            let first = (alerts.with(STATE, alert.state.as_str()), 1.0.into());
            [
                Some(first),
                restored.then(|| (for_state, since(alert).into())),
            ]
        });
        self.take(series.flatten().collect())
    }

    /// Replaces the series by the results of a recording rule. Returns those that have ended. After an
    /// error the series are unchanged.
    pub(super) fn record(
        &mut self,
        rule: &FileRule,
        found: &[InstantSample],
        limit: usize,
    ) -> Result<Vec<LabelSet>, String> {
        if limit > 0 && found.len() > limit {
            return Err(format!(
                "it gives {} series, more than the limit of {limit}; aggregate, or raise the \
                 `limit` of the group",
                found.len()
            ));
        }
        let mut both = found.iter().zip(&self.of);
        if found.len() == self.of.len() && both.all(|(sample, of)| sample.labels == *of) {
            self.values.clear();
            let values = found.iter().map(|sample| sample.value.clone());
            self.values.extend(values);
            return Ok(Vec::new());
        }
        let mut given = Vec::with_capacity(found.len());
        let mut seen = HashSet::with_capacity(found.len());
        for sample in found {
            let mut labels = sample.labels.with(METRIC_NAME, Arc::clone(&rule.name));
            for (name, text) in &rule.labels {
                labels = labels.with(name, text.as_str());
            }
            if !seen.insert(labels.clone()) {
                return Err(
                    "two results have the same labels after the rule's own are added; \
                     aggregate, or add no label that distinguishes them"
                        .to_owned(),
                );
            }
            given.push((labels, sample.value.clone()));
        }
        let ended = self.take(given);
        self.of
            .extend(found.iter().map(|sample| sample.labels.clone()));
        Ok(ended)
    }
}
