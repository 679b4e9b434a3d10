//! An independent observer: it sees only inputs and outputs, keeps its own counts, and panics when
//! an invariant is violated.

mod escalations;
mod starts;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::healing::core::{
    AlertId, AlertKind, AttemptId, AttemptResult, Closed, Control, Effect, Event, Generation,
    IssueKey, Moment, Name, Observation, Phase, Plan, Severity, ShortText, State, Target, Ticket,
    Verdict, What, Work,
};

/// An observation, and the plan that came with it.
type Offered = (Observation, Option<Result<Plan, ShortText>>);

/// The state of an attempt that has not ended.
#[derive(Debug, Clone)]
struct Runs {
    engine: Name,
    key: IssueKey,
    lock: Name,
    work: Work,
    given_up: bool,
    dirty: bool,
}

/// An attempt that counts against the budgets.
#[derive(Debug, Clone)]
struct Started {
    at: Moment,
    component: Name,
    severity: Severity,
    /// Its component had spent nothing, as far as the observer knows.
    unspent: bool,
}

/// The proof that an issue is healed, as it accumulates.
#[derive(Debug, Clone, Default)]
struct Proof {
    said_ok: Option<Moment>,
    first_good: Option<Moment>,
    last_good: Option<Moment>,
    spoilt: bool,
    settle: Duration,
}

#[derive(Debug, Clone, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent switches, as in the state"
)]
pub(super) struct Watch {
    now: Moment,
    runs: BTreeMap<AttemptId, Runs>,
    /// The attempt that the current event ends.
    ending: Option<(AttemptId, Runs)>,
    seen_attempts: BTreeSet<AttemptId>,
    /// The engine's plans for each open key.
    plans: BTreeMap<IssueKey, Vec<Plan>>,
    /// Plans of this event for issues that belonged to another engine before.
    taken_over: Vec<(Name, IssueKey, Plan)>,
    /// With the time after which the core no longer waits.
    checks: BTreeMap<Ticket, (IssueKey, Moment)>,
    proofs: BTreeMap<IssueKey, Proof>,
    /// When each engine was asked to detect.
    asked: BTreeMap<Name, Moment>,
    /// When the last detection run of each engine began.
    last_runs: BTreeMap<Name, Moment>,
    /// The starts since the policy last changed.
    starts: Vec<Started>,
    /// The last start of each key.
    last_start: BTreeMap<IssueKey, Moment>,
    drawn: BTreeMap<IssueKey, Moment>,
    /// The generation and the step that a person approved last.
    approved: BTreeMap<IssueKey, (Generation, usize)>,
    mutes: BTreeMap<Target, (Moment, Severity)>,
    /// The own issues of an engine that the current detection run neither found nor determined.
    undetermined: BTreeSet<IssueKey>,
    /// When healing gave up on a key.
    given_up: BTreeMap<IssueKey, Moment>,
    not_ready: BTreeSet<AlertId>,
    exits: Vec<Moment>,
    exiting: bool,
    /// When the last hold on everything ended.
    let_go: Option<Moment>,
    paused: bool,
    killed: bool,
    stopping: bool,
    journal_down: bool,
    pub(super) healed: u64,
    pub(super) started: u64,
}

impl Watch {
    /// Observes an event before it is passed to the core.
    pub(super) fn observe(&mut self, now: Moment, event: &Event, state: &State) {
        self.now = self.now.max(now);
        self.mutes.retain(|_, (until, _)| *until > self.now);
        self.undetermined.clear();
        match event {
            // Reports of a removed engine have no owner.
            Event::Observed { engine, .. } if !state.is_there(engine) => {}
            Event::Observed {
                engine,
                observation,
                plan,
            } => {
                self.planned(engine, &observation.key, plan.as_ref(), state);
                self.seen(
                    &observation.key,
                    observation.severity,
                    observation.is_valid(),
                );
            }
            Event::Detected {
                engine,
                observations,
                began,
                unknown,
                ..
            } => {
                self.detected(engine, *began, observations, state);
                let found = |key: &&IssueKey| observations.iter().any(|(one, _)| one.key == **key);
                let own = |key: &&IssueKey| state.owner(key).as_ref() == Some(engine);
                let keys = unknown.iter().map(|(key, _)| key);
                let keys = keys.filter(|key| own(key) && !found(key));
                self.undetermined = keys.cloned().collect();
            }
            Event::DetectFailed { engine, began } => {
                self.asked
                    .retain(|name, asked| name != engine || *asked > *began);
            }
            Event::Judged {
                ticket,
                data_from,
                verdict,
            } => self.judged(*ticket, (*data_from).min(self.now), *verdict),
            Event::Ended { attempt, .. } => self.ending = self.runs.remove_entry(attempt),
            Event::Journal { healthy } => self.journal_down = !healthy,
            Event::Shutdown => self.stopping = true,
            _ => {}
        }
    }

    fn detected(&mut self, engine: &Name, began: Moment, found: &[Offered], state: &State) {
        let began = began.min(self.now);
        let last = self.last_runs.get(engine).copied();
        let fresh = last.is_none_or(|last| began > last);
        self.asked
            .retain(|name, asked| name != engine || *asked > began);
        let there = state.is_there(engine);
        if fresh {
            self.last_runs.insert(engine.clone(), began);
        }
        for (observation, plan) in found.iter().filter(|_| there) {
            self.planned(engine, &observation.key, plan.as_ref(), state);
            self.seen(
                &observation.key,
                observation.severity,
                observation.is_valid(),
            );
            if let Some(proof) = self.proofs.get_mut(&observation.key)
                && proof.said_ok.is_some_and(|ended| began >= ended)
                && observation.is_valid()
                && fresh
            {
                // A report of another engine is a hint.
                proof.spoilt |= state.owner(&observation.key).as_ref() == Some(engine);
            }
        }
    }

    /// Observes a plan that came with an observation: it may be followed from now on.
    fn planned(
        &mut self,
        engine: &Name,
        key: &IssueKey,
        plan: Option<&Result<Plan, ShortText>>,
        state: &State,
    ) {
        let own = state.owner(key).is_none_or(|owner| owner == *engine);
        let Some(Ok(plan)) =
            plan.filter(|plan| matches!(plan, Ok(plan) if plan.validate().is_ok()))
        else {
            return;
        };
        if own {
            let plans = self.plans.entry(key.clone()).or_default();
            plans.push(plan.clone());
        } else {
            let taken = (engine.clone(), key.clone(), plan.clone());
            self.taken_over.push(taken);
        }
    }

    /// An issue superseded in a detection run may be opened again by the same run, owned by the
    /// engine of the run.
    fn taken_over(&mut self, state: &State) {
        for (engine, key, plan) in std::mem::take(&mut self.taken_over) {
            if state.owner(&key) == Some(engine) {
                self.plans.entry(key).or_default().push(plan);
            }
        }
    }

    fn seen(&mut self, key: &IssueKey, severity: Severity, valid: bool) {
        if !valid || self.stopping {
            return;
        }
        for target in [
            Target::Key(key.clone()),
            Target::Component(key.component.clone()),
        ] {
            if self
                .mutes
                .get(&target)
                .is_some_and(|(_, most)| severity > *most)
            {
                self.mutes.remove(&target);
            }
        }
        for runs in self.runs.values_mut() {
            if runs.key == *key && runs.work == Work::Heal && !runs.given_up {
                runs.dirty = true;
            }
        }
    }

    fn judged(&mut self, ticket: Ticket, data_from: Moment, verdict: Verdict) {
        let Some((key, until)) = self.checks.remove(&ticket) else {
            return;
        };
        if until <= self.now {
            return;
        }
        let Some(proof) = self.proofs.get_mut(&key) else {
            return;
        };
        if proof.said_ok.is_none_or(|ended| data_from < ended) {
            return;
        }
        match verdict {
            Verdict::Good => {
                proof.first_good.get_or_insert(data_from);
                proof.last_good = proof.last_good.max(Some(data_from));
            }
            Verdict::Bad => proof.spoilt = true,
            Verdict::Unknown => {}
        }
    }

    /// Checks the effects after an event.
    pub(super) fn answered(&mut self, effects: &[Effect], state: &State) {
        self.taken_over(state);
        for effect in effects {
            match effect {
                Effect::Verify {
                    ticket,
                    issue,
                    timeout,
                    ..
                } => {
                    self.checks.retain(|_, (key, _)| *key != issue.key);
                    let until = self.now + *timeout;
                    self.checks.insert(*ticket, (issue.key.clone(), until));
                }
                Effect::Record(record) => self.recorded(&record.what, effects, state),
                Effect::Start(start) => self.start(start, effects, state),
                Effect::Detect { engine } => {
                    self.asked.insert(engine.clone(), self.now);
                }
                Effect::Stopped => assert!(self.stopping && state.issues().count() == 0),
                _ => {}
            }
        }
        self.ending = None;
        self.is_ready_again(state);
    }

    fn recorded(&mut self, what: &What, effects: &[Effect], state: &State) {
        match what {
            What::Moved {
                key,
                to,
                reason,
                until,
                ..
            } => {
                if let (Phase::Backoff, Some(until)) = (to, until) {
                    self.drawn.insert(key.clone(), *until);
                }
                if reason.is_some_and(crate::healing::core::ParkReason::blocks) {
                    self.given_up.entry(key.clone()).or_insert(self.now);
                }
            }
            What::Escalated {
                id,
                level,
                severity,
                ..
            } => self.escalated(id, *level, *severity, state),
            What::Deescalated { id } => assert!(self.not_ready.remove(id), "{id}"),
            What::AttemptFinished {
                attempt,
                work: Work::Heal,
                key,
                result,
                ..
            } => self.finished(*attempt, key, *result, effects, state),
            What::AttemptFinished { attempt, .. } => {
                if let Some(runs) = self.runs.get_mut(attempt) {
                    runs.given_up = true;
                }
            }
            What::Closed { key, outcome, .. } => {
                self.given_up.remove(key);
                let gone = matches!(
                    outcome,
                    Closed::SelfResolved | Closed::Exhausted | Closed::Healed
                );
                let known = !self.undetermined.contains(key);
                assert!(
                    known || !gone,
                    "{key} closed by a run that did not determine it"
                );
                if *outcome == Closed::Healed {
                    self.healed(key);
                }
            }
            What::Reloaded => {
                self.starts.clear();
                self.exits.clear();
            }
            What::Resolved(alert) if alert.id.kind == AlertKind::Storm => {
                self.let_go = Some(self.now);
            }
            What::Controlled { control, .. } => self.controlled(control, state),
            _ => {}
        }
    }

    fn controlled(&mut self, control: &Control, state: &State) {
        match control {
            Control::Approve { key, .. } | Control::Trigger { key } => {
                if let Some(open) = state.keys.get(key).and_then(|&slot| state.open.get(slot)) {
                    let looked_at = (open.issue.generation, open.step);
                    self.approved.insert(key.clone(), looked_at);
                }
            }
            Control::Acknowledge { key } => {
                self.given_up.remove(key);
            }
            Control::Pause => self.paused = true,
            Control::Resume => {
                self.paused = false;
                self.let_go = Some(self.now);
            }
            Control::Kill => self.killed = true,
            Control::Revive => {
                self.killed = false;
                self.let_go = Some(self.now);
            }
            Control::Mute {
                target,
                lasting,
                tolerate,
            } => {
                // If the core chooses the level, only the certain cases are checked.
                if let Some(tolerate) = tolerate {
                    let mute = (self.now + *lasting, *tolerate);
                    self.mutes.insert(target.clone(), mute);
                } else {
                    self.mutes.remove(target);
                }
            }
            Control::Unmute { target } => {
                self.mutes.remove(target);
            }
            _ => {}
        }
    }

    /// Invariant 9.
    fn finished(
        &mut self,
        attempt: AttemptId,
        key: &IssueKey,
        result: AttemptResult,
        effects: &[Effect],
        state: &State,
    ) {
        let runs = match &mut self.ending {
            Some((id, runs)) if *id == attempt => runs,
            _ => self.runs.get_mut(&attempt).expect("it runs"),
        };
        assert!(!runs.given_up, "it is finished twice");
        runs.given_up = true;
        let checks = effects.iter().filter(|effect| match effect {
            Effect::Detect { engine } => *engine == runs.engine,
            Effect::Verify { attempt: a, .. } => *a == attempt,
            _ => false,
        });
        let checks = checks.count();
        if runs.dirty && !self.stopping && state.is_there(&runs.engine) {
            // One requested at this moment has not run yet.
            let asked = self.asked.get(&runs.engine) == Some(&self.now);
            assert!(
                checks == 1 || (checks == 0 && asked),
                "a fault seen meanwhile is detected at once: {result:?} {checks}"
            );
        }
        if result == AttemptResult::Ok
            && let Some(proof) = self.proofs.get_mut(key)
        {
            proof.said_ok = Some(self.now);
        }
    }

    /// Invariant 4.
    fn healed(&mut self, key: &IssueKey) {
        let proof = self.proofs.remove(key).unwrap_or_default();
        let ended = proof.said_ok.expect("an attempt said ok");
        let first = proof.first_good.expect("a good verdict");
        let last = proof.last_good.expect("a good verdict");
        assert!(!proof.spoilt, "{key} was seen to be bad in between");
        assert!(first >= ended, "the data are older than the attempt's end");
        assert!(
            last - first >= proof.settle,
            "{key} did not settle: good from {first:?} to {last:?} instead of {:?}",
            proof.settle
        );
        self.healed += 1;
    }

    /// Observes a restart on a clock that began `gone` later: running attempts are gone.
    pub(super) fn restarted(&mut self, gone: Duration, effects: &[Effect]) {
        let interrupted = effects.iter().filter(|effect| {
            matches!(effect, Effect::Record(record) if matches!(record.what,
                What::AttemptFinished { result: AttemptResult::Interrupted, .. }))
        });
        let unfinished = self.runs.values().filter(|runs| !runs.given_up);
        assert_eq!(
            interrupted.count(),
            unfinished.count(),
            "each becomes interrupted once"
        );
        let back = |at: Moment| at.back(gone);
        *self = Self {
            seen_attempts: std::mem::take(&mut self.seen_attempts),
            starts: self
                .starts
                .drain(..)
                .map(|one| Started {
                    at: back(one.at),
                    ..one
                })
                .collect(),
            exits: self.exits.drain(..).map(back).collect(),
            last_start: std::mem::take(&mut self.last_start)
                .into_iter()
                .map(|(key, at)| (key, back(at)))
                .collect(),
            drawn: std::mem::take(&mut self.drawn)
                .into_iter()
                .map(|(key, until)| (key, back(until)))
                .collect(),
            mutes: std::mem::take(&mut self.mutes)
                .into_iter()
                .map(|(target, (until, most))| (target, (back(until), most)))
                .collect(),
            let_go: Some(Moment::START),
            paused: self.paused,
            killed: self.killed,
            healed: self.healed,
            started: self.started,
            ..Self::default()
        };
    }
}

impl State {
    fn owner(&self, key: &IssueKey) -> Option<Name> {
        let entry = self.open.get(*self.keys.get(key)?)?;
        Some(self.engines.get(entry.engine)?.name.clone())
    }

    fn plan_of(&self, key: &IssueKey) -> Option<&Plan> {
        let entry = self.open.get(*self.keys.get(key)?)?;
        entry.plan.as_deref()
    }

    fn is_there(&self, engine: &Name) -> bool {
        let engine = self.engines.find(engine);
        engine.is_some_and(|engine| !self.engines.get(engine).unwrap().removed)
    }
}
