//! Evaluates groups of rules when they are due: queries in, samples and alert changes out.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::FixedState;

use super::alert::{AlertChange, Alerts, RuleAlert};
use super::context::{Context, Standings};
use super::file::{FileRule, RuleFile, RuleGroup};
use super::for_state::ForState;
use super::given::Given;
use super::options::RulesOptions;
use super::recorded::{Both, Bounds, RuleSeries};
use super::scope::{Measured, Scope};
use super::texts::Surroundings;
use crate::promql::{InstantSample, LabelSet, Queryable, Sample, Standing};
use crate::util::millis;

/// The result of the last evaluation of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleHealth {
    /// Not evaluated yet.
    #[default]
    Unknown,
    /// Evaluated without error.
    Ok,
    /// Failed with this error.
    Failed(Arc<str>),
}

/// The state of a rule.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuleStatus {
    /// Whether the rule can be evaluated in this process.
    pub scope: Scope,
    /// The result of its last evaluation.
    pub health: RuleHealth,
    /// The time of its last evaluation, in milliseconds since 1970.
    pub evaluated_at: Option<i64>,
    /// The duration of its last evaluation, also of one that failed.
    pub took: Duration,
    /// Its alerts, including those resolved within 15 min, sorted by labels.
    pub alerts: Vec<RuleAlert>,
}

/// The state of a group.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GroupStatus {
    /// The path of its file.
    pub file: Arc<PathBuf>,
    /// The group.
    pub group: Arc<RuleGroup>,
    /// The interval between two evaluations.
    pub interval: Duration,
    /// The time of its last evaluation, in milliseconds since 1970.
    pub evaluated_at: Option<i64>,
    /// The duration of its last evaluation.
    pub took: Duration,
    /// The states of its rules, in their order.
    pub rules: Vec<RuleStatus>,
}

/// Evaluates rules. The time, in milliseconds since 1970, and the series are arguments; it reads a
/// clock only to measure its own duration.
#[derive(Debug)]
pub struct Evaluator {
    options: RulesOptions,
    surroundings: Surroundings,
    bounds: Bounds,
    recorded: RuleSeries,
    groups: Vec<Group>,
    standing: Standing,
    /// A buffer for the result of one expression.
    found: Vec<InstantSample>,
    /// The state of the alerts before a restart.
    before: Option<ForState>,
}

#[derive(Debug)]
struct Group {
    file: Arc<PathBuf>,
    rules: Arc<RuleGroup>,
    /// In milliseconds.
    interval: i64,
    /// The offset of its evaluations from multiples of the interval.
    phase: i64,
    /// The last due time that was evaluated.
    slot: Option<i64>,
    took: Duration,
    runs: Vec<Run>,
    /// The number of evaluations until the state from before a restart is restored.
    restores_in: u32,
}

/// As in Prometheus: rules of a group may depend on each other, so the first is incomplete.
const RESTORED_AFTER: u32 = 2;

/// The state of one rule.
#[derive(Debug, Default)]
struct Run {
    scope: Scope,
    health: RuleHealth,
    evaluated_at: Option<i64>,
    took: Duration,
    alerts: Alerts,
    /// Its last result: series no longer in the result have ended.
    given: Given,
}

impl Evaluator {
    /// Creates an evaluator without rules.
    #[must_use]
    pub fn new(options: RulesOptions) -> Self {
        Self {
            surroundings: Surroundings::new(&options),
            bounds: Bounds {
                keep: options.keep,
                samples: options.max_samples,
                series: options.max_series,
            },
            options,
            recorded: RuleSeries::default(),
            groups: Vec::new(),
            standing: Standing::default(),
            found: Vec::new(),
            before: None,
        }
    }

    /// Restores alerts from their state before a restart. Groups that were evaluated already are
    /// unchanged.
    pub fn restore(&mut self, before: ForState) {
        self.before = Some(before);
        for group in self.groups.iter_mut().filter(|group| group.slot.is_none()) {
            group.restores_in = RESTORED_AFTER;
        }
    }

    /// The state of the alerts to keep across a restart; `None` until the previous state is
    /// restored.
    #[must_use]
    pub fn for_state(&self, now: i64) -> Option<ForState> {
        if self.groups.iter().any(|group| group.restores_in > 0) {
            return None;
        }
        let runs = self.groups.iter().flat_map(|group| {
            let rules = group.rules.rules.iter();
            rules.zip(&group.runs)
        });
        let active = runs.flat_map(|(rule, run)| {
            let hold = rule.alerting.as_ref().map(|alerting| alerting.hold);
            let active = run.alerts.active();
            active.map(move |alert| (alert, hold.unwrap_or_default()))
        });
        Some(ForState::of(now, active))
    }

    /// Replaces all files. A rule keeps its state if the same group of the same file had a rule
    /// with the same name and labels; the series of all others end.
    pub fn load(&mut self, files: &[RuleFile], now: i64) {
        self.standing = Standing::default();
        let mut before: HashMap<_, Vec<Group>> = HashMap::new();
        for group in self.groups.drain(..) {
            let key = (Arc::clone(&group.file), Arc::clone(&group.rules.name));
            before.entry(key).or_default().push(group);
        }
        for file in files {
            let path = Arc::new(file.path.clone());
            for group in &file.groups {
                let key = (Arc::clone(&path), Arc::clone(&group.name));
                let old = before.get_mut(&key).and_then(Vec::pop);
                let new = self.group(&path, group, old, now);
                self.groups.push(new);
            }
        }
        for group in before.into_values().flatten() {
            for run in group.runs {
                self.end(run, now, group.rules.query_offset);
            }
        }
    }

    fn group(&self, file: &Arc<PathBuf>, group: &RuleGroup, old: Option<Group>, now: i64) -> Group {
        let interval = millis(group.interval.unwrap_or(self.options.interval)).max(1);
        let hash = FixedState::with_seed(0).hash_one((&**file, &*group.name));
        // Finds the old rule whose state a new rule takes over.
        let mut known: HashMap<_, Vec<Run>> = HashMap::new();
        let slot = old.as_ref().and_then(|old| old.slot);
        let restores_in = match (&old, &self.before) {
            (Some(old), _) => old.restores_in,
            (None, Some(_)) => RESTORED_AFTER,
            (None, None) => 0,
        };
        if let Some(old) = old {
            for (rule, run) in old.rules.rules.iter().zip(old.runs) {
                known.entry(identity(rule)).or_default().insert(0, run);
            }
        }
        let rules = group.rules.iter();
        let runs = rules
            .map(|rule| {
                let run = known.get_mut(&identity(rule)).and_then(Vec::pop);
                let mut run = run.unwrap_or_default();
                run.alerts.forget_texts();
                run
            })
            .collect();
        for run in known.into_values().flatten() {
            self.end(run, now, group.query_offset);
        }
        Group {
            file: Arc::clone(file),
            rules: Arc::new(group.clone()),
            interval,
            phase: i64::try_from(hash % interval.unsigned_abs()).unwrap_or(0),
            slot,
            took: Duration::ZERO,
            runs,
            restores_in,
        }
    }

    /// Ends the series of a removed rule.
    fn end(&self, run: Run, now: i64, offset: Duration) {
        for labels in run.given.into_labels() {
            self.end_series(&labels, now - millis(offset));
        }
    }

    /// Determines which rules can be evaluated from these series alone, including those that other
    /// rules record. The others are skipped, and their alerts and series end. Without this call,
    /// all are evaluated.
    pub fn classify(&mut self, measured: &Measured) {
        let runs = |groups: &mut Vec<Group>, each: &mut dyn FnMut(&FileRule, &mut Run)| {
            for group in groups {
                let rules = group.rules.rules.iter();
                rules
                    .zip(&mut group.runs)
                    .for_each(|(rule, run)| each(rule, run));
            }
        };
        runs(&mut self.groups, &mut |_, run| run.scope = Scope::Here);
        // Skipping a rule also skips the rules that read its recorded series.
        loop {
            let mut recorded: HashSet<Arc<str>> = HashSet::new();
            recorded.extend(["ALERTS", "ALERTS_FOR_STATE"].map(Arc::from));
            runs(&mut self.groups, &mut |rule, run| {
                if rule.alerting.is_none() && run.scope.is_evaluated() {
                    recorded.insert(Arc::clone(&rule.name));
                }
            });
            let mut fewer = false;
            runs(&mut self.groups, &mut |rule, run| {
                let scope = Scope::of(&rule.expr, measured, &recorded);
                fewer |= run.scope.is_evaluated() && !scope.is_evaluated();
                run.scope = scope;
            });
            if !fewer {
                break;
            }
        }
    }

    /// When the next group is due, in milliseconds since 1970; `None` if there is none.
    #[must_use]
    pub fn next_due(&self, now: i64) -> Option<i64> {
        let due = self.groups.iter().map(|group| {
            let slot = group.slot_at(now);
            let done = group.slot == Some(slot);
            if done { slot + group.interval } else { slot }
        });
        due.min()
    }

    /// Evaluates each due group, one after the other. A group that was due several times is
    /// evaluated once.
    pub fn evaluate_due(
        &mut self,
        now: i64,
        measured: &(impl Queryable + ?Sized),
    ) -> Vec<AlertChange> {
        let mut changes = Vec::new();
        for at in 0..self.groups.len() {
            let group = &self.groups[at];
            let slot = group.slot_at(now);
            if group.slot == Some(slot) {
                continue;
            }
            // The first evaluation is not as old as the time it was due.
            let due = group.slot.map_or(now, |_| slot);
            self.groups[at].slot = Some(slot);
            changes.extend(self.evaluate_as_due(at, now, due, measured));
        }
        self.recorded.bound(now, &self.bounds);
        changes
    }

    /// Evaluates one group at any time, as tests do.
    pub fn evaluate(
        &mut self,
        at: usize,
        now: i64,
        measured: &(impl Queryable + ?Sized),
    ) -> Vec<AlertChange> {
        self.evaluate_as_due(at, now, now, measured)
    }

    fn evaluate_as_due(
        &mut self,
        at: usize,
        now: i64,
        due: i64,
        measured: &(impl Queryable + ?Sized),
    ) -> Vec<AlertChange> {
        let mut changes = Vec::new();
        let Some(group) = self.groups.get_mut(at) else {
            return changes;
        };
        let clock = &self.options.query.clock;
        let start = clock.mark();
        let offset = millis(group.rules.query_offset);
        let source = Both {
            recorded: &self.recorded,
            measured,
        };
        let (queries, found) = (&mut self.standing, &mut self.found);
        let mut context = Context {
            source: &source,
            standing: measured.as_recorded().map(|measured| Standings {
                queries,
                measured,
                made: &self.recorded,
            }),
            now,
            due,
            asked: now - offset,
            limit: group.rules.limit,
            restored: group.restores_in == 0,
            options: &self.options.query,
            surroundings: &self.surroundings,
        };
        for (rule, run) in group.rules.rules.iter().zip(&mut group.runs) {
            let begun = clock.mark();
            let ended = if run.scope.is_evaluated() {
                run.evaluated_at = Some(now);
                let state = (&mut run.alerts, &mut run.given);
                let ended = context.rule(rule, state, &mut changes, found);
                run.took = clock.since(begun);
                match ended {
                    Ok(ended) => {
                        run.health = RuleHealth::Ok;
                        ended
                    }
                    Err(problem) => {
                        run.health = RuleHealth::Failed(problem.into());
                        continue;
                    }
                }
            } else {
                run.alerts = Alerts::default();
                run.took = Duration::ZERO;
                std::mem::take(&mut run.given).into_labels()
            };
            let time = context.asked;
            for (labels, value) in run.given.series() {
                let value = value.clone();
                self.recorded
                    .push(labels, Sample { time, value }, &self.bounds);
            }
            for labels in ended {
                self.recorded.end(&labels, time, &self.bounds);
            }
        }
        group.slot.get_or_insert(now);
        group.restore(self.before.as_ref(), now);
        group.took = clock.since(start);
        changes
    }

    /// The state of each group.
    #[must_use]
    pub fn status(&self) -> Vec<GroupStatus> {
        let groups = self.groups.iter();
        groups
            .map(|group| GroupStatus {
                file: Arc::clone(&group.file),
                group: Arc::clone(&group.rules),
                interval: Duration::from_millis(group.interval.unsigned_abs()),
                evaluated_at: group.runs.iter().filter_map(|run| run.evaluated_at).max(),
                took: group.took,
                rules: group.runs.iter().map(Run::status).collect(),
            })
            .collect()
    }

    /// Adds a sample to the series that rules can read besides the source's.
    pub fn record(&self, labels: &LabelSet, time: i64, value: f64) {
        let value = value.into();
        self.recorded
            .push(labels, Sample { time, value }, &self.bounds);
    }

    /// Ends a series that [`record`](Self::record) made: it has no value from `time` on.
    pub fn end_series(&self, labels: &LabelSet, time: i64) {
        self.recorded.end(labels, time, &self.bounds);
    }

    /// The number of dropped samples of rules' series.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.recorded.dropped()
    }

    /// The series of the rules.
    #[must_use]
    pub fn series(&self) -> RuleSeries {
        self.recorded.clone()
    }
}

impl Group {
    /// The last due time at or before `now`.
    fn slot_at(&self, now: i64) -> i64 {
        let passed = now - self.phase;
        passed.div_euclid(self.interval) * self.interval + self.phase
    }

    /// Restores alerts from before a restart, once enough evaluations are done.
    fn restore(&mut self, before: Option<&ForState>, now: i64) {
        if self.restores_in == 0 {
            return;
        }
        self.restores_in -= 1;
        if let (0, Some(before)) = (self.restores_in, before) {
            for (rule, run) in self.rules.rules.iter().zip(&mut self.runs) {
                before.restore(rule, &mut run.alerts, now);
            }
        }
    }
}

impl Run {
    fn status(&self) -> RuleStatus {
        RuleStatus {
            scope: self.scope.clone(),
            health: self.health.clone(),
            evaluated_at: self.evaluated_at,
            took: self.took,
            alerts: self.alerts.list(),
        }
    }
}

type Identity = (Arc<str>, bool, Vec<(Arc<str>, String)>);

/// The identity of a rule when its file is reloaded.
fn identity(rule: &FileRule) -> Identity {
    let labels = rule.labels.iter();
    let labels = labels.map(|(name, text)| (Arc::clone(name), text.as_str().to_owned()));
    (
        Arc::clone(&rule.name),
        rule.alerting.is_some(),
        labels.collect(),
    )
}
