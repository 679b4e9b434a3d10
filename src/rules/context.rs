//! Evaluates one rule once: queries in, series out.

use std::sync::Arc;

use super::alert::{AlertChange, Alerts};
use super::file::FileRule;
use super::given::Given;
use super::options::RulesOptions;
use super::recorded::RuleSeries;
use super::template::Found;
use super::texts::Surroundings;
use crate::promql::{
    InstantSample, LabelSet, Query, QueryOptions, QueryResult, Queryable, Recorded, Standing,
};

impl Surroundings {
    pub(super) fn new(options: &RulesOptions) -> Self {
        let external = options.external_labels.iter();
        Self {
            external_labels: external
                .map(|(name, text)| (Arc::from(name), Arc::from(text)))
                .collect(),
            external_url: Arc::clone(&options.external_url),
        }
    }
}

/// State shared by the rules of one evaluation.
pub(super) struct Context<'a, S> {
    pub(super) source: &'a S,
    /// The history, if it is the source, with the standing state of its queries.
    pub(super) standing: Option<Standings<'a>>,
    pub(super) now: i64,
    /// The time at which the evaluation was due, by which `for` is measured as in Prometheus: one
    /// that starts a millisecond later than the next must not make an alert wait a whole interval.
    pub(super) due: i64,
    /// The time of the evaluation.
    pub(super) asked: i64,
    pub(super) limit: usize,
    /// Whether the restore after a restart is complete.
    pub(super) restored: bool,
    pub(super) options: &'a QueryOptions,
    pub(super) surroundings: &'a Surroundings,
}

/// Standing queries over a history, next to the series of rules.
pub(super) struct Standings<'a> {
    pub(super) queries: &'a mut Standing,
    pub(super) measured: &'a Recorded,
    pub(super) made: &'a RuleSeries,
}

impl Standings<'_> {
    /// False if the query must be evaluated over all series instead.
    fn evaluate(
        &mut self,
        query: &Query,
        time: (i64, &QueryOptions),
        found: &mut Vec<InstantSample>,
    ) -> bool {
        self.queries
            .evaluate(query, self.measured, self.made, time, found)
    }
}

impl<'a, S: Queryable> Context<'a, S> {
    /// Of a rule by itself, at `now`.
    pub(super) fn alone(
        source: &'a S,
        now: i64,
        options: &'a RulesOptions,
        surroundings: &'a Surroundings,
    ) -> Self {
        Self {
            source,
            standing: None,
            now,
            due: now,
            asked: now,
            limit: 0,
            restored: true,
            options: &options.query,
            surroundings,
        }
    }

    /// Evaluates a rule with these alerts and its last result. Returns the series that have ended;
    /// `found` is a buffer for the expression's result.
    pub(super) fn rule(
        &mut self,
        rule: &FileRule,
        (alerts, given): (&mut Alerts, &mut Given),
        changes: &mut Vec<AlertChange>,
        found: &mut Vec<InstantSample>,
    ) -> Result<Vec<LabelSet>, String> {
        let asked = (self.asked, self.options);
        let stands = match &mut self.standing {
            Some(standing) => standing.evaluate(&rule.expr, asked, found),
            None => false,
        };
        if !stands {
            *found = self.query(&rule.expr, self.asked)?;
        }
        if rule.alerting.is_none() {
            return given.record(rule, found, self.limit);
        }
        let mut ask = |text: &str| {
            let query = Query::parse(text).map_err(|error| error.to_string())?;
            let found = self.query(&query, self.now)?.into_iter();
            Ok(found.map(|sample| as_found(&sample)).collect())
        };
        let (due, limit) = (self.due, self.limit);
        changes.extend(alerts.step(rule, found, (due, limit), self.surroundings, &mut ask)?);
        Ok(given.alerts(alerts.active(), self.restored))
    }

    fn query(&self, query: &Query, time: i64) -> Result<Vec<InstantSample>, String> {
        let answer = query.instant(self.source, time, self.options);
        match answer.map_err(|error| error.to_string())?.result {
            QueryResult::Vector(found) => Ok(found),
            QueryResult::Scalar(value) => Ok(vec![InstantSample::unlabelled(value)]),
            QueryResult::Text(_) | QueryResult::Matrix(_) => {
                Err("the result of a rule is a vector or a scalar, but this is neither".to_owned())
            }
        }
    }
}

fn as_found(sample: &InstantSample) -> Found {
    let labels = sample.labels.iter();
    Found {
        labels: labels
            .map(|(name, text)| (Arc::from(name), Arc::from(text)))
            .collect(),
        value: sample.value.as_float().unwrap_or(0.0),
    }
}
