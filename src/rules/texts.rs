//! The labels and annotations of alerts, rendered again only if what their templates read has
//! changed.

use std::collections::HashMap;
use std::sync::Arc;

use super::file::{Alerting, FileRule};
use super::template::{Ask, Data, Reads, Template};
use crate::promql::{InstantSample, Label, LabelSet};

/// The label with the name of an alert.
pub const ALERT_NAME: &str = "alertname";

/// The data of templates besides labels and value.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) external_labels: Arc<[Label]>,
    pub(super) external_url: Arc<str>,
}

/// The texts that the results of one rule's expression make.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    made: HashMap<LabelSet, Made>,
    /// Whether those of the current evaluation have this mark, or the other one.
    mark: bool,
}

/// The texts of one result.
#[derive(Clone, Debug)]
struct Made {
    labels: LabelSet,
    annotations: Arc<[Label]>,
    /// The value from which they were made.
    value: f64,
    mark: bool,
}

impl Texts {
    /// The labels and annotations of the alert for a result at a time, in milliseconds since 1970.
    pub(super) fn of(
        &mut self,
        (rule, alerting): (&FileRule, &Alerting),
        sample: &InstantSample,
        (now, surroundings): (i64, &Surroundings),
        ask: &mut Ask<'_>,
    ) -> (LabelSet, Arc<[Label]>) {
        let value = sample.value.as_float().unwrap_or(0.0);
        if let Some(made) = self.made.get_mut(&sample.labels) {
            let templates = rule.labels.iter().chain(&alerting.annotations);
            let reads = templates.map(|(_, template)| template.reads()).max();
            let is_same = match reads {
                None | Some(Reads::Labels) => true,
                Some(Reads::Value) => made.value.to_bits() == value.to_bits(),
                Some(Reads::Time) => false,
            };
            if is_same {
                made.mark = self.mark;
                return (made.labels.clone(), Arc::clone(&made.annotations));
            }
        }
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
        let mut expand = |template: &Template| -> Arc<str> {
            let rendered = template.render(&data, ask);
            rendered.unwrap_or_else(|error| format!("<error expanding template: {error}>").into())
        };
        let mut labels = sample.labels.without_name();
        for (name, template) in &rule.labels {
            labels = labels.with(name, expand(template));
        }
        let annotations = alerting.annotations.iter();
        let made = Made {
            labels: labels.with(ALERT_NAME, Arc::clone(&rule.name)),
            annotations: annotations
                .map(|(name, template)| (Arc::clone(name), expand(template)))
                .collect(),
            value,
            mark: self.mark,
        };
        let texts = (made.labels.clone(), Arc::clone(&made.annotations));
        self.made.insert(sample.labels.clone(), made);
        texts
    }

    /// Drops the texts that were not read since the last call.
    pub(super) fn drop_others(&mut self) {
        self.made.retain(|_, made| made.mark == self.mark);
        self.mark = !self.mark;
    }
}
