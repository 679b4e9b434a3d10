//! Samples the registry, evaluates due rules, and answers queries about both.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::RulesError;
use super::kept::Kept;
use super::measure::measure;
use super::metrics::HistoryMetrics;
use super::source::Watchers;
use crate::config::HistorySettings;
use crate::healing::Healing;
use crate::history::History;
use crate::promql::{Answer, LabelSet, METRIC_NAME, MatchOp, Query, Recorded};
use crate::registry::{Registry, ValueRef, parse_labels};
use crate::rules::{
    Evaluator, FileRule, GroupStatus, Measured, Recheck, Report, RuleFile, RuleFileError,
    RuleSeries, RulesOptions, recheck,
};
use crate::util::{Clock, millis, unix_millis};

/// The number of latest sampling times kept.
const TICKS: usize = 64;

/// The shortest time between two samples.
const SHORTEST: Duration = Duration::from_millis(100);

/// The history of one handle, and its rules.
pub(in crate::handle) struct Recent {
    registry: Registry,
    #[cfg_attr(
        not(feature = "server"),
        allow(dead_code, reason = "used by the query endpoints")
    )]
    clock: Clock,
    runtime: Handle,
    healing: Healing,
    /// The start, from which tokio's clock counts: setting the wall clock moves no sample.
    began: (Instant, i64),
    history: History,
    series: RuleSeries,
    options: RulesOptions,
    evaluator: Mutex<Evaluator>,
    kept: Kept,
    /// `None` if the application has another metric of such a name.
    shown: Option<Arc<HistoryMetrics>>,
    pub(super) watchers: Watchers,
    state: Mutex<State>,
    wake: Notify,
}

struct State {
    files: Vec<RuleFile>,
    target: LabelSet,
    source: Arc<Recorded>,
    step: Duration,
    ticks: VecDeque<i64>,
    /// The series that the last tick had beside the history: `up`, and those of collectors.
    beside: HashSet<LabelSet>,
    first_tick: Option<i64>,
    status: Arc<[GroupStatus]>,
    /// The error of the last refused reload.
    refused: Option<Arc<RuleFileError>>,
}

impl Recent {
    /// Starts the history.
    pub(super) fn start(
        registry: &Registry,
        settings: &HistorySettings,
        clock: &Clock,
        healing: &Healing,
    ) -> Arc<Self> {
        let runtime = healing.runtime().clone();
        let began = {
            let _inside = runtime.enter();
            (Instant::now(), unix_millis(clock.wall()))
        };
        let history = History::new(registry, settings.clone());
        let target = LabelSet::empty();
        let options = RulesOptions {
            keep: settings.keep.max(settings.coarse_keep),
            ..RulesOptions::default()
        };
        let mut evaluator = Evaluator::new(options.clone());
        if let Some(before) = Kept::before(healing) {
            evaluator.restore(before);
        }
        let recent = Arc::new(Self {
            state: Mutex::new(State {
                files: Vec::new(),
                source: recorded(&history, registry, &target),
                target,
                step: settings.step,
                ticks: VecDeque::with_capacity(TICKS),
                beside: HashSet::new(),
                first_tick: None,
                status: Arc::default(),
                refused: None,
            }),
            registry: registry.clone(),
            clock: clock.clone(),
            healing: healing.clone(),
            began,
            history,
            series: evaluator.series(),
            options,
            evaluator: Mutex::new(evaluator),
            kept: Kept::default(),
            shown: registry.group().ok(),
            watchers: Watchers::default(),
            wake: Notify::new(),
            runtime,
        });
        recent.runtime.spawn(drive(Arc::downgrade(&recent)));
        recent
    }

    pub(super) fn has_ended(&self) -> bool {
        self.healing.has_ended()
    }

    /// The time, in milliseconds since 1970.
    pub(in crate::handle) fn now(&self) -> i64 {
        let _inside = self.runtime.enter();
        self.began.1 + millis(self.began.0.elapsed())
    }

    /// The lead of the wall clock over the time of the samples.
    #[cfg_attr(
        not(feature = "server"),
        allow(dead_code, reason = "used by the query endpoints")
    )]
    pub(in crate::handle) fn skew(&self) -> i64 {
        unix_millis(self.clock.wall()) - self.now()
    }

    #[cfg_attr(
        not(feature = "server"),
        allow(dead_code, reason = "used by the query endpoints")
    )]
    pub(in crate::handle) fn series(&self) -> &RuleSeries {
        &self.series
    }

    pub(in crate::handle) fn source(&self) -> Arc<Recorded> {
        Arc::clone(&self.state.lock().source)
    }

    pub(in crate::handle) fn status(&self) -> Arc<[GroupStatus]> {
        Arc::clone(&self.state.lock().status)
    }

    pub(super) fn files(&self) -> Vec<RuleFile> {
        self.state.lock().files.clone()
    }

    /// Loads files, replacing those with the same paths, and sets the labels of the target.
    pub(super) fn load(&self, files: Vec<RuleFile>, target: &LabelSet) {
        let all = {
            let mut state = self.state.lock();
            for file in files {
                match state.files.iter_mut().find(|known| known.path == file.path) {
                    Some(known) => *known = file,
                    None => state.files.push(file),
                }
            }
            for (name, value) in target.iter() {
                state.target = state.target.with(name, value);
            }
            state.source = recorded(&self.history, &self.registry, &state.target);
            let groups = state.files.iter().flat_map(|file| &file.groups);
            let shortest = groups.filter_map(|group| group.interval).min();
            let step = self.history.settings().step;
            state.step = shortest.map_or(step, |shortest| shortest.clamp(SHORTEST, step));
            let rules = state.files.iter().flat_map(|file| &file.groups);
            let rules = rules.flat_map(|group| &group.rules);
            for name in rules.flat_map(|rule| names(&rule.expr)) {
                self.history.want_always(&name);
            }
            state.refused = None;
            state.files.clone()
        };
        let now = self.now();
        let measured = self.measure();
        let mut evaluator = self.evaluator.lock();
        evaluator.load(&all, now);
        evaluator.classify(&measured);
        let status = evaluator.status().into();
        drop(evaluator);
        self.state.lock().status = status;
        self.watchers.hint();
        self.wake.notify_one();
    }

    /// Records why files were not loaded.
    pub(super) fn refuse(&self, error: Arc<RuleFileError>) {
        self.state.lock().refused = Some(error);
    }

    /// How each rule is treated, by the metrics that are declared now.
    pub(super) fn report(&self) -> Report {
        let measured = self.measure();
        let mut evaluator = self.evaluator.lock();
        evaluator.classify(&measured);
        let report = Report::new(&evaluator.status());
        drop(evaluator);
        match &self.state.lock().refused {
            Some(error) => report.refused(error),
            None => report,
        }
    }

    pub(super) fn healing(&self) -> &Healing {
        &self.healing
    }

    /// Answers a query at the current time.
    pub(super) async fn ask(self: &Arc<Self>, query: Query) -> Result<Answer, RulesError> {
        let recent = Arc::clone(self);
        let asked = self.runtime.spawn_blocking(move || {
            for name in names(&query) {
                recent.history.want(&name);
            }
            let now = recent.now();
            if recent.state.lock().ticks.is_empty() {
                recent.tick(now);
            }
            let source = recent.source();
            query.instant(&recent.series.beside(&*source), now, &recent.options.query)
        });
        Ok(asked.await.map_err(|_| RulesError::Ended)??)
    }

    /// Starts sampling the collector series of this name.
    #[cfg(feature = "server")]
    pub(in crate::handle) fn note_name(&self, name: &str) {
        self.history.want(name);
    }

    /// Reads all values with the timestamp `now`.
    pub(super) fn tick(&self, now: i64) {
        let evicted = self.history.stats().evicted;
        self.history.tick(now);
        if let Some(shown) = &self.shown {
            shown.show(self.history.stats(), evicted);
        }
        let (source, target, before) = {
            let mut state = self.state.lock();
            state.first_tick.get_or_insert(now);
            if state.ticks.len() == TICKS {
                state.ticks.pop_front();
            }
            state.ticks.push_back(now);
            let before = std::mem::take(&mut state.beside);
            (Arc::clone(&state.source), state.target.clone(), before)
        };
        let mut found = self.collect(&source, &target);
        found.push((target.with(METRIC_NAME, "up"), 1.0));
        let evaluator = self.evaluator.lock();
        for (labels, value) in &found {
            evaluator.record(labels, now, *value);
        }
        let beside: HashSet<_> = found.into_iter().map(|(labels, _)| labels).collect();
        // Series that a collector no longer has, or whose target labels have changed.
        for gone in before.difference(&beside) {
            evaluator.end_series(gone, now);
        }
        drop(evaluator);
        self.state.lock().beside = beside;
    }

    /// Samples the requested series of collectors.
    fn collect(&self, source: &Recorded, target: &LabelSet) -> Vec<(LabelSet, f64)> {
        let mut found = Vec::new();
        let wanted = self.history.asked_but(source.has_names());
        if wanted.is_empty() {
            return found;
        }
        let scrape = self.registry.scrape_only(|name, _| wanted.contains(name));
        for family in scrape.families() {
            family.each(&mut |labels, sample| {
                if let ValueRef::Number(number) = sample.value {
                    let labels = parse_labels(labels).into_iter();
                    let all = labels.chain([(METRIC_NAME.to_owned(), family.name().to_owned())]);
                    let mut labels = LabelSet::new(all);
                    for (name, value) in target.iter() {
                        labels = labels.with(name, value);
                    }
                    found.push((labels, number.as_f64()));
                }
            });
        }
        found
    }

    /// The names of the series in the history.
    fn names(&self) -> Vec<Arc<str>> {
        self.source().names()
    }

    /// All series that this process declares, with or without a value yet.
    fn measure(&self) -> Measured {
        let target = self.state.lock().target.clone();
        measure(&self.registry, self.names(), target)
    }

    /// Samples and evaluates what is due, and returns the time until the next round.
    fn round(&self) -> Duration {
        let now = self.now();
        let (step, last) = {
            let state = self.state.lock();
            (millis(state.step), state.ticks.back().copied())
        };
        let mut next_tick = last.map_or(now, |last| last + step);
        // A clock that was set back is no reason to wait.
        if next_tick <= now || next_tick > now + step {
            let known = self.history.known();
            self.tick(now);
            next_tick = now + step;
            let rules = !self.state.lock().files.is_empty();
            if rules && !Arc::ptr_eq(&known, &self.history.known()) {
                let measured = self.measure();
                self.evaluator.lock().classify(&measured);
            }
        }
        let source = self.source();
        let mut evaluator = self.evaluator.lock();
        let changes = evaluator.evaluate_due(now, &*source);
        let next_due = evaluator.next_due(now);
        let status = evaluator.status().into();
        let kept = self.kept.next(now, &evaluator);
        drop(evaluator);
        if let Some(kept) = kept {
            Kept::keep(&self.healing, &kept);
        }
        self.state.lock().status = status;
        if !changes.is_empty() {
            self.watchers.hint();
        }
        let next = next_due.map_or(next_tick, |due| due.min(next_tick));
        Duration::from_millis(u64::try_from(next - now).unwrap_or(0)).max(Duration::from_millis(1))
    }

    /// The result of a rule on samples after `since` only.
    pub(super) fn recheck(&self, rule: &FileRule, since: i64) -> Recheck {
        let now = self.now();
        let after = {
            let state = self.state.lock();
            state.ticks.iter().filter(|tick| **tick > since).count()
        };
        if after < 2 {
            return Recheck::Unknown;
        }
        let source = self.source();
        let files = self.files();
        let groups = files.into_iter().flat_map(|file| file.groups);
        let recorders = groups.flat_map(|group| group.rules);
        let recorders: Vec<FileRule> = recorders.filter(|rule| rule.alerting.is_none()).collect();
        recheck(
            rule,
            &recorders,
            &self.series.beside(&*source),
            (since, now),
            &self.options,
        )
    }

    /// Whether the history covers the range of an expression.
    pub(super) fn reaches(&self, range: Duration) -> bool {
        let first = self.state.lock().first_tick;
        first.is_some_and(|first| self.now() - first >= millis(range))
    }
}

/// Runs until the last handle is dropped.
async fn drive(recent: Weak<Recent>) {
    let mut wait = Duration::ZERO;
    loop {
        let Some(now) = recent.upgrade() else {
            return;
        };
        let round = Arc::clone(&now);
        // Gauge functions run here; they may block or panic.
        wait = match tokio::task::spawn_blocking(move || round.round()).await {
            Ok(wait) => wait,
            Err(error) if error.is_panic() => wait.max(Duration::from_secs(1)),
            Err(_) => return,
        };
        let notified = async move { now.wake.notified().await };
        // Rare enough to cost nothing, frequent enough to notice that all handles are gone.
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = notified => {}
        }
    }
}

/// The names of the series that a query reads.
fn names(query: &Query) -> Vec<Arc<str>> {
    let selectors = query.selectors();
    let named = selectors.flat_map(|matchers| {
        let equal = |matcher: &&crate::promql::Matcher| {
            matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal
        };
        matchers
            .iter()
            .filter(equal)
            .map(|matcher| Arc::from(matcher.value()))
    });
    named.collect()
}

/// The series of a history, with the labels that all series of the registry and of the target have.
fn recorded(history: &History, registry: &Registry, target: &LabelSet) -> Arc<Recorded> {
    let settings = registry.settings();
    let global = settings.global_labels.iter();
    let global = global.map(|(name, value)| (name.as_str(), value.as_str()));
    let all = LabelSet::new(global.chain(target.iter()));
    let all = all
        .iter()
        .map(|(name, value)| (Arc::from(name), Arc::from(value)));
    Arc::new(Recorded::new(
        history,
        all.collect::<Vec<crate::promql::Label>>(),
    ))
}
