//! Handling of an observation, from a hint or a detection run.

use super::State;
use super::engines::EngineIx;
use super::entry::Entry;
use super::queue::Place;
use super::samples::Runs;
use super::slab::SlotId;
use super::timers::Timer;
use crate::healing::core::tally::DetectedLabels;
use crate::healing::core::{
    By, Closed, Control, Dropped, Generation, Issue, IssueKey, Moment, Name, Observation, Phase,
    Plan, ShortText, Stamp, What,
};

/// The plan that came with an observation, if one was asked for.
pub(super) type Offer = Option<Result<Plan, ShortText>>;

/// The origin of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Hint,
    Run { number: u64, began: Moment },
}

impl State {
    /// The issue that an observation would open or worsen, if its engine has to supply a plan with
    /// the observation; `None` if no plan is needed.
    #[must_use]
    pub fn to_plan(&self, now: Stamp, engine: &Name, observation: &Observation) -> Option<Issue> {
        if self.stopping || !observation.is_valid() {
            return None;
        }
        let (key, severity) = (&observation.key, observation.severity);
        let next = Generation(self.generations + 1);
        let Some(&slot) = self.keys.get(key) else {
            let muted = self.mutes.muted_until(key, severity).is_some();
            return (!muted).then(|| Issue::opened(now, next, observation.clone()));
        };
        let entry = self.open.get(slot)?;
        let worse = severity > entry.issue.severity;
        let own = self.engines.get(entry.engine)?.name == *engine;
        if !own || !(worse || entry.unplanned) {
            return None;
        }
        let mut issue = entry.issue.clone();
        issue.count = issue.count.saturating_add(1);
        issue.last_seen = now;
        issue.evidence = observation.evidence.clone();
        if worse {
            issue.severity = severity;
            issue.generation = next;
        }
        Some(issue)
    }

    pub(super) fn observed(&mut self, engine: &Name, observation: Observation, plan: Offer) {
        let limit = self.policy.limits.engines;
        match self.engines.intern(engine, limit) {
            Some(engine) => self.observe(engine, observation, plan, Source::Hint),
            None => self.not_taken(observation.key, 1),
        }
    }

    /// Counts observations beyond the limit as dropped.
    pub(super) fn not_taken(&mut self, key: IssueKey, count: u64) {
        self.tally.observations.total += count;
        let reason = if self.stopping {
            Dropped::Shutdown
        } else {
            Dropped::Full
        };
        self.dropped(reason, key, count);
    }

    pub(super) fn observe(
        &mut self,
        engine: EngineIx,
        observation: Observation,
        plan: Offer,
        source: Source,
    ) {
        self.tally.observations.total += 1;
        if self.stopping {
            return self.dropped(Dropped::Shutdown, observation.key, 1);
        }
        // Reports for a removed engine have no owner.
        let gone = self.engines.get(engine).is_none_or(|engine| engine.removed);
        if gone || !observation.is_valid() {
            return self.dropped(Dropped::Invalid, observation.key, 1);
        }
        if let Some(engine) = self.engines.get_mut(engine) {
            engine.unknown.remove(&observation.key);
        }
        if !self.mutes.is_empty() {
            for target in self.mutes.exceeded(&observation.key, observation.severity) {
                self.record(What::Controlled {
                    control: Control::Unmute {
                        target: target.clone(),
                    },
                    by: By::Policy,
                });
                self.end_mute(&target);
            }
        }
        if observation.superseding {
            self.supersede(engine, &observation.key);
        }
        if let Some(&slot) = self.keys.get(&observation.key) {
            return self.coalesce(slot, engine, observation, plan, source);
        }
        let muted = self
            .mutes
            .muted_until(&observation.key, observation.severity);
        if muted.is_some() {
            self.tally.observations.muted += 1;
        } else if self.make_space(engine, &observation) {
            self.open_issue(engine, observation, plan, source);
        } else {
            self.dropped(Dropped::Full, observation.key, 1);
        }
    }

    /// Closes earlier issues of the same engine in the component of `newest`.
    fn supersede(&mut self, ix: EngineIx, newest: &IssueKey) {
        let Some(engine) = self.engines.get(ix) else {
            return;
        };
        let is_older = |slot: &SlotId| {
            let key = self.open.get(*slot).map(|entry| &entry.issue.key);
            key.is_some_and(|key| key.component == newest.component && key != newest)
        };
        let older: Vec<SlotId> = engine.open.iter().copied().filter(is_older).collect();
        for slot in older {
            match self.open.get_mut(slot) {
                // A running treatment keeps its lock, and may end the newer fault as well.
                Some(entry) if entry.is_under_way() => entry.superseded = true,
                _ => self.close(slot, Closed::Superseded),
            }
        }
    }

    fn coalesce(
        &mut self,
        slot: SlotId,
        by: EngineIx,
        observation: Observation,
        mut plan: Offer,
        mut source: Source,
    ) {
        self.tally.observations.coalesced += 1;
        let now = self.now;
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        entry.superseded = false;
        let issue = &mut entry.issue;
        issue.count = issue.count.saturating_add(1);
        let newer = now.at > issue.last_seen.at;
        let worse = (observation.samples, &observation.evidence) > (entry.samples, &issue.evidence);
        let old = entry.samples;
        // Of simultaneous observations the strongest is kept, whatever their order.
        if newer || worse {
            if entry.samples != observation.samples {
                entry.samples = observation.samples;
                entry.weigh_samples();
            }
            entry.issue.evidence = observation.evidence;
        }
        let surer = entry.samples != old;
        let issue = &mut entry.issue;
        issue.last_seen = now;
        let severity = (observation.severity > issue.severity).then_some(observation.severity);
        let (component, phase, unplanned) = (entry.component, entry.phase, entry.unplanned);
        // A report of another engine about this issue is a hint.
        if entry.engine != by {
            source = Source::Hint;
            plan = None;
        }
        match phase {
            Phase::Running => entry.dirty = true,
            Phase::Verifying | Phase::Settling | Phase::AwaitingRollback => {}
            _ => entry.good_passes = 0,
        }
        let seen = match source {
            Source::Run { number, .. } => std::mem::replace(&mut entry.seen_run, number) == number,
            Source::Hint => true,
        };
        if let Some(parent) = &observation.parent {
            self.learn_parent(component, parent);
        }
        match (severity, plan) {
            (Some(severity), plan) => self.worsened(slot, severity, plan),
            (None, Some(plan)) if unplanned => self.planned(slot, plan),
            (None, _) => {}
        }
        match source {
            // Each detection run counts once.
            Source::Run { began, .. } if !seen => self.seen_in_run(slot, began, true),
            Source::Run { .. } => {}
            Source::Hint => {
                self.hinted(slot);
                if surer {
                    self.sure_by_now(slot);
                }
            }
        }
    }

    /// Whether one more fits, after evictions.
    fn make_space(&mut self, ix: EngineIx, observation: &Observation) -> bool {
        let limits = self.policy.limits;
        let Some(engine) = self.engines.get(ix) else {
            return false;
        };
        let gives_way = if engine.open.len() >= limits.open_per_engine as usize {
            engine.evictable.first().copied()
        } else if self.open.len() >= limits.open as usize {
            self.engines.first_to_give_way()
        } else {
            return true;
        };
        match gives_way {
            Some(((severity, ..), slot)) if severity < observation.severity => {
                self.tally.evicted += 1;
                self.close(slot, Closed::Superseded);
                true
            }
            _ => false,
        }
    }

    fn open_issue(&mut self, ix: EngineIx, observation: Observation, plan: Offer, source: Source) {
        let now = self.now;
        let limits = self.policy.limits;
        let name = &observation.key.component;
        let component = self.components.intern(now.at, name, limits.components);
        self.generations += 1;
        let (samples, parent) = (observation.samples, observation.parent.clone());
        let issue = Issue::opened(now, Generation(self.generations), observation);
        self.tally.observations.opened += 1;
        self.tally.opened += 1;
        let labels = DetectedLabels {
            issue_type: issue.key.issue_type.clone(),
            severity: issue.severity,
            component: issue.key.component.clone(),
        };
        *self.tally.detected.entry(labels, limits.series) += 1;
        let reset = self.policy.backoff;
        let memory = self.memories.update(now.at, &issue.key, |memory| {
            memory.reopen(now.at, &reset);
            memory.kept.not_before
        });
        let mut entry = Entry::new(issue, ix, component, self.seed);
        entry.samples = samples;
        entry.not_before = memory.unwrap_or(now.at);
        entry.runs.push(true);
        if let Source::Run { number, .. } = source {
            entry.seen_run = number;
        }
        let slot = self.insert(entry);
        // After the insertion, so that a new parent cannot displace this component, which had no
        // issue before.
        if let Some(parent) = &parent {
            self.learn_parent(component, parent);
        }
        if let (Some(entry), Some(engine)) = (self.open.get(slot), self.engines.get(ix)) {
            let what = What::Opened {
                issue: Box::new(entry.issue.clone()),
                engine: engine.name.clone(),
            };
            self.record(what);
        }
        let planned = plan.is_some();
        if let Some(plan) = plan {
            self.planned(slot, plan);
        }
        if source == Source::Hint || !planned {
            self.ask_to_detect(ix, false);
        }
    }

    /// Inserts an issue, and counts it.
    pub(super) fn insert(&mut self, entry: Entry) -> SlotId {
        let (key, engine) = (entry.issue.key.clone(), entry.engine);
        self.components
            .count_open(self.now.at, entry.component, true);
        let slot = self.open.insert(entry);
        if let Some(engine) = self.engines.get_mut(engine) {
            engine.watched.remove(&key);
            engine.open.insert(slot);
        }
        self.keys.insert(key, slot);
        self.count(slot, true);
        let until = self.now.at + self.policy.patience;
        self.timers.set(Timer::Issue(slot), until);
        slot
    }
}

impl Entry {
    pub(super) fn new(
        issue: Issue,
        engine: EngineIx,
        component: super::components::ComponentIx,
        seed: u64,
    ) -> Self {
        Self {
            samples: crate::healing::core::Samples::new(0, 0),
            engine,
            component,
            stream: stream(seed, &issue.key),
            phase: Phase::Confirming,
            reason: None,
            since: issue.first_seen.at,
            place: Place::Nowhere,
            runs: Runs::default(),
            seen_run: 0,
            good_passes: 0,
            plan: None,
            unplanned: true,
            step: 0,
            used: 0,
            attempts: 0,
            not_before: issue.first_seen.at,
            approved: None,
            gave_up: None,
            treatment: None,
            dirty: false,
            superseded: false,
            issue,
        }
    }
}

/// FNV-1a over the key, mixed with the seed: the same in every process, unlike a map's hash.
fn stream(seed: u64, key: &IssueKey) -> u64 {
    let names = [key.component.as_str(), "/", key.issue_type.as_str()];
    let bytes = names.iter().flat_map(|name| name.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    super::backoff::splitmix(seed ^ hash)
}
