//! What is seen: hints and passes.

use super::State;
use super::components::Refused;
use super::engines::EngineIx;
use super::entry::Entry;
use super::queue::Place;
use super::samples::Passes;
use super::slab::SlotId;
use crate::healing::tally::DetectedLabels;
use crate::healing::{
    AlertId, AlertKind, By, Closed, Control, Dropped, Effect, Generation, Issue, IssueKey, Moment,
    Name, Observation, Phase, Severity, Text, What,
};

/// So many passes in a row that failed, and a detector counts as blind.
const BLIND_AFTER: u32 = 3;

/// What stands for the issue type in the key of an alert about a detector.
const DETECTOR: &str = "detector";

/// Whether an observation belongs to a pass, and to which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Hint,
    Pass { number: u64, began: Moment },
}

impl State {
    pub(super) fn observed(&mut self, engine: &Name, observation: Observation) {
        let limit = self.policy.limits.engines;
        match self.engines.intern(engine, limit) {
            Some(engine) => self.observe(engine, observation, Source::Hint),
            None => self.no_such_engine(observation),
        }
    }

    /// An observation of an engine beyond the limit.
    fn no_such_engine(&mut self, observation: Observation) {
        self.tally.observations.total += 1;
        let reason = if self.stopping {
            Dropped::Shutdown
        } else {
            Dropped::Full
        };
        self.dropped(reason, observation.key);
    }

    pub(super) fn detected(
        &mut self,
        name: &Name,
        began: Moment,
        mut observations: Vec<Observation>,
    ) {
        let limit = self.policy.limits.engines;
        let Some(ix) = self.engines.intern(name, limit) else {
            for observation in observations {
                self.no_such_engine(observation);
            }
            return;
        };
        let began = began.min(self.now.at);
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        if engine.asked.is_some_and(|asked| asked <= began) {
            engine.asked = None;
        }
        self.sees_again(ix);
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        // A pass that is told twice, or older than one that was told, weighs nothing: what it
        // found counts as hints.
        let fresh = engine.last_pass.is_none_or(|last| began > last);
        let source = if fresh {
            engine.last_pass = Some(began);
            engine.passes += 1;
            Source::Pass {
                number: engine.passes,
                began,
            }
        } else {
            Source::Hint
        };
        // Worst first, and in an order that does not depend on how they were found.
        observations.sort_unstable_by(|a, b| b.cmp(a));
        for observation in observations {
            self.observe(ix, observation, source);
        }
        if let Source::Pass { number, began } = source {
            self.not_found(ix, number, began);
        }
    }

    /// What a pass did not find is good, unless it was seen since the pass began.
    fn not_found(&mut self, ix: EngineIx, number: u64, began: Moment) {
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        let mut good_again = Vec::new();
        let clear = self.policy.clear;
        engine.watched.retain(|key, good| {
            *good += 1;
            if *good >= clear {
                good_again.push(key.clone());
            }
            *good < clear
        });
        let open: Vec<SlotId> = engine.open.iter().copied().collect();
        for key in good_again {
            // Another engine may see the fault by now.
            if !self.keys.contains_key(&key) {
                self.unblock_after_health(&key);
            }
        }
        for slot in open {
            let entry = self.open.get(slot);
            if entry.is_some_and(|e| e.seen_pass != number && began >= e.issue.last_seen.at) {
                self.passed(slot, began, false);
            }
        }
    }

    pub(super) fn detect_failed(&mut self, name: &Name, began: Moment) {
        let Some(ix) = self.engines.find(name) else {
            return;
        };
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        if engine.asked.is_some_and(|asked| asked <= began) {
            engine.asked = None;
        }
        engine.blind = engine.blind.saturating_add(1);
        if engine.blind == BLIND_AFTER && !engine.removed {
            let id = AlertId::of(&IssueKey::new(name.clone(), DETECTOR), AlertKind::Blind);
            self.raise(id, Severity::Error, || {
                Text::new(&format!(
                    "{name}: its detector fails again and again; its faults are not seen"
                ))
            });
        }
    }

    /// A pass of an engine ended well, or its passes no longer matter.
    fn sees_again(&mut self, ix: EngineIx) {
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        if std::mem::take(&mut engine.blind) >= BLIND_AFTER {
            let key = IssueKey::new(engine.name.clone(), DETECTOR);
            self.resolve(&AlertId::of(&key, AlertKind::Blind));
        }
    }

    /// Has an engine look again; unless forced, once until it did.
    pub(super) fn ask_to_detect(&mut self, ix: EngineIx, force: bool) {
        if self.stopping {
            return;
        }
        let now = self.now.at;
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        // One that was asked at this very moment has not looked yet.
        let asked = engine.asked.is_some_and(|asked| !force || asked == now);
        if engine.removed || asked {
            return;
        }
        engine.asked = Some(now);
        let engine = engine.name.clone();
        self.emit(Effect::Detect { engine });
    }

    fn observe(&mut self, engine: EngineIx, observation: Observation, source: Source) {
        self.tally.observations.total += 1;
        if self.stopping {
            return self.dropped(Dropped::Shutdown, observation.key);
        }
        // What is reported for an engine after it was removed is nobody's.
        let gone = self.engines.get(engine).is_none_or(|engine| engine.removed);
        if gone || !observation.is_valid() {
            return self.dropped(Dropped::Invalid, observation.key);
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
        if let Some(&slot) = self.keys.get(&observation.key) {
            return self.coalesce(slot, engine, observation, source);
        }
        let muted = self
            .mutes
            .muted_until(&observation.key, observation.severity);
        if muted.is_some() {
            self.tally.observations.muted += 1;
        } else if self.make_room(engine, &observation) {
            self.open_issue(engine, observation, source);
        } else {
            self.dropped(Dropped::Full, observation.key);
        }
    }

    fn coalesce(&mut self, slot: SlotId, by: EngineIx, observation: Observation, source: Source) {
        self.tally.observations.coalesced += 1;
        let now = self.now;
        let Some(entry) = self.open.get_mut(slot) else {
            return;
        };
        let issue = &mut entry.issue;
        issue.count = issue.count.saturating_add(1);
        let newer = now.at > issue.last_seen.at;
        let worse = (observation.samples, &observation.evidence) > (entry.samples, &issue.evidence);
        // Of the observations of one moment the strongest is kept, whatever their order.
        if newer || worse {
            if entry.samples != observation.samples {
                entry.samples = observation.samples;
                issue.confidence = observation.samples.confidence();
            }
            issue.evidence = observation.evidence;
        }
        // A pass tells of the time when it began.
        issue.last_seen = now;
        let severity = (observation.severity > issue.severity).then_some(observation.severity);
        let (component, phase) = (entry.component, entry.phase);
        // What another engine says about this one's issue is a hint.
        let mut source = source;
        if entry.engine != by {
            source = Source::Hint;
        }
        match phase {
            Phase::Running => entry.dirty = true,
            Phase::Verifying | Phase::Settling => {}
            _ => entry.good_passes = 0,
        }
        let seen = match source {
            Source::Pass { number, .. } => {
                std::mem::replace(&mut entry.seen_pass, number) == number
            }
            Source::Hint => true,
        };
        if let Some(parent) = &observation.parent {
            self.learn_parent(component, parent);
        }
        if let Some(severity) = severity {
            self.worsened(slot, severity);
        }
        match source {
            Source::Pass { began, .. } if !seen => self.passed(slot, began, true),
            Source::Pass { .. } => {}
            Source::Hint => self.hinted(slot),
        }
    }

    fn learn_parent(&mut self, component: super::components::ComponentIx, parent: &Name) {
        if !self.components.has_parent(component, parent) {
            let limit = self.policy.limits.components;
            let parent = self.components.intern(parent, limit);
            self.depend(component, parent);
        }
    }

    fn depend(
        &mut self,
        component: super::components::ComponentIx,
        parent: super::components::ComponentIx,
    ) {
        let Err(refused) = self.components.depend(component, parent) else {
            return;
        };
        let name = |ix| {
            let found: Option<&super::components::Component> = self.components.get(ix);
            found.map_or_else(|| Name::new("other"), |component| component.name.clone())
        };
        let (child, parent) = (name(component), name(parent));
        let why = match refused {
            Refused::Cycle => "which depends on it: the dependency is left out",
            Refused::TooMany => "and on as many others as it may: the dependency is left out",
        };
        self.refuse(Text::new(&format!("{child} depends on {parent}, {why}")));
    }

    pub(super) fn depends_on(&mut self, component: &Name, parent: &Name) {
        let limit = self.policy.limits.components;
        let component = self.components.intern(component, limit);
        let parent = self.components.intern(parent, limit);
        self.depend(component, parent);
    }

    pub(super) fn engine_added(&mut self, name: &Name, components: &[Name]) {
        let limits = self.policy.limits;
        for component in components {
            self.components.intern(component, limits.components);
        }
        let Some(ix) = self.engines.intern(name, limits.engines) else {
            return self.refuse(Text::new(&format!(
                "there are too many engines for {name}; raise limits.engines"
            )));
        };
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        engine.present = true;
        engine.removed = false;
        for slot in engine.open.iter().copied().collect::<Vec<_>>() {
            if self
                .open
                .get(slot)
                .is_some_and(|entry| entry.plan.is_none())
            {
                self.ask_for_plan(slot);
            }
        }
        self.ask_to_detect(ix, false);
    }

    pub(super) fn engine_removed(&mut self, name: &Name) {
        let Some(ix) = self.engines.find(name) else {
            return self.refuse(Text::new(&format!("there is no engine {name}")));
        };
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        engine.present = false;
        engine.removed = true;
        engine.asked = None;
        let open: Vec<_> = engine.open.iter().copied().collect();
        for slot in open {
            self.end_issue(slot, Closed::Superseded);
        }
        self.sees_again(ix);
    }

    /// Whether there is room for one more, after others have given way.
    fn make_room(&mut self, ix: EngineIx, observation: &Observation) -> bool {
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

    fn open_issue(&mut self, ix: EngineIx, observation: Observation, source: Source) {
        let now = self.now;
        let limits = self.policy.limits;
        let component = self
            .components
            .intern(&observation.key.component, limits.components);
        if let Some(parent) = &observation.parent {
            self.learn_parent(component, parent);
        }
        self.generations += 1;
        let issue = Issue {
            key: observation.key,
            severity: observation.severity,
            confidence: observation.samples.confidence(),
            evidence: observation.evidence,
            generation: Generation(self.generations),
            first_seen: now,
            last_seen: now,
            count: 1,
        };
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
            memory.not_before
        });
        let mut entry = Entry::new(issue, ix, component, self.seed);
        entry.samples = observation.samples;
        entry.not_before = memory.unwrap_or(now.at);
        entry.passes.push(true);
        if let Source::Pass { number, .. } = source {
            entry.seen_pass = number;
        }
        let slot = self.insert(entry);
        if let (Some(entry), Some(engine)) = (self.open.get(slot), self.engines.get(ix)) {
            let what = What::Opened {
                issue: Box::new(entry.issue.clone()),
                engine: engine.name.clone(),
            };
            self.record(what);
        }
        self.ask_for_plan(slot);
        if source == Source::Hint {
            self.ask_to_detect(ix, false);
        }
    }

    /// Takes an issue in, and counts it.
    pub(super) fn insert(&mut self, entry: Entry) -> SlotId {
        let (key, engine) = (entry.issue.key.clone(), entry.engine);
        let slot = self.open.insert(entry);
        if let Some(engine) = self.engines.get_mut(engine) {
            engine.watched.remove(&key);
            engine.open.insert(slot);
        }
        self.keys.insert(key, slot);
        self.count_in(slot);
        self.set_due(slot, Some(self.now.at + self.policy.patience));
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
            samples: crate::healing::Samples::new(0, 0),
            engine,
            component,
            stream: stream(seed, &issue.key),
            phase: Phase::Confirming,
            reason: None,
            since: issue.first_seen.at,
            due: None,
            place: Place::Nowhere,
            passes: Passes::default(),
            seen_pass: 0,
            good_passes: 0,
            plan: None,
            planning: None,
            step: 0,
            used: 0,
            attempts: 0,
            not_before: issue.first_seen.at,
            approved: None,
            treatment: None,
            dirty: false,
            issue,
        }
    }
}

/// FNV-1a over the key, then mixed with the seed: the same in every process, unlike the hash of
/// a map.
fn stream(seed: u64, key: &IssueKey) -> u64 {
    let names = [key.component.as_str(), "/", key.issue_type.as_str()];
    let bytes = names.iter().flat_map(|name| name.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    super::backoff::splitmix(seed ^ hash)
}
