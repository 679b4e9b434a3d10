//! Resumption of open work by the new run.

use std::collections::BTreeMap;

use super::{Replay, alert_of};
use crate::healing::core::state::State;
use crate::healing::core::state::entry::Entry;
use crate::healing::core::state::timers::Timer;
use crate::healing::core::tally::ActionLabels;
use crate::healing::core::{
    Alert, AlertId, AlertKind, AttemptResult, Closed, Effect, OpenState, Severity, ShortText, What,
    Work,
};

impl Replay {
    /// Completes the replay: resumes open issues, alerts and attempts.
    pub(super) fn finish(mut self) -> (State, Vec<Effect>) {
        self.state.record(What::Started);
        self.interrupt();
        let mut state = self.state;
        let mut open: Vec<_> = self.open.into_values().collect();
        // The worst first, in case the limit no longer allows all of them.
        open.sort_by_key(|one| std::cmp::Reverse(one.issue.severity));
        for one in open {
            state.take_up(one);
        }
        for (target, mute) in state.mutes.iter() {
            let timer = Timer::Mute(Box::new(target.clone()));
            state.timers.set(timer, mute.until);
        }
        state.forget_idle_components();
        state.take_up_alerts(self.alerts);
        state.watch_blocked();
        state.ramp.begin(state.now.at);
        state.fire_timers();
        state.finish(false);
        let effects = std::mem::take(&mut state.out);
        (state, effects)
    }

    fn interrupt(&mut self) {
        let now = self.state.now.at;
        let limit = self.state.policy.limits.series;
        for (attempt, (intent, started)) in std::mem::take(&mut self.unended) {
            let result = AttemptResult::Interrupted;
            let took = now - started;
            let state = &mut self.state;
            match intent.work {
                Work::Heal => {
                    let labels = ActionLabels::new(&intent.key, &intent.action);
                    let gate = intent.confidence.gate();
                    state.tally.attempt_started(labels, gate, limit);
                    state
                        .tally
                        .attempt_finished(&intent.action, result, took, limit);
                    if let Some(open) = self.open.get_mut(&intent.key) {
                        open.used = open.used.saturating_add(1);
                    }
                }
                Work::Rollback => {
                    state.tally.rollbacks_started += 1;
                    state.tally.rollbacks_finished.add(result);
                }
            }
            state.record(What::AttemptFinished {
                attempt,
                work: intent.work,
                key: intent.key,
                action: intent.action,
                result,
                took,
                message: ShortText::new("the process ended before the attempt did"),
                hopeless: false,
            });
        }
    }
}

impl State {
    fn take_up(&mut self, reopened: OpenState) {
        let limits = self.policy.limits;
        let now = self.now.at;
        let engine = self.engines.intern(&reopened.engine, limits.engines);
        self.tally.restored += 1;
        let full = self.open.len() >= limits.open as usize;
        let (Some(engine), false) = (engine, full) else {
            self.tally.closed.add(Closed::Superseded);
            let issue = reopened.issue;
            self.memories
                .update(now, &issue.key, |memory| memory.kept.closed_at = Some(now));
            return self.record(What::Closed {
                key: issue.key,
                generation: issue.generation,
                outcome: Closed::Superseded,
                action: None,
                attempts: reopened.attempts,
                open_for: now - issue.first_seen.at,
                not_before: None,
            });
        };
        let name = &reopened.issue.key.component;
        let component = self.components.intern(now, name, limits.components);
        let memory = self.memories.get(&reopened.issue.key);
        let not_before = memory.map_or(now, |memory| memory.kept.not_before);
        let mut entry = Entry::new(reopened.issue, engine, component, self.seed);
        entry.since = now;
        entry.step = reopened.step;
        entry.used = reopened.used;
        entry.attempts = reopened.attempts;
        entry.not_before = not_before;
        self.insert(entry);
    }

    /// Continues alerts whose condition still holds; resolves the others.
    fn take_up_alerts(&mut self, mut known: BTreeMap<AlertId, Alert>) {
        let now = self.now.at;
        let policy = self.policy.recurrence;
        let mut keep = Vec::new();
        for (key, memory) in self.memories.iter() {
            if let Some(kind) = memory.kept.block.and_then(alert_of) {
                keep.push((AlertId::of(key, kind), None));
            }
            let recurring = AlertId::of(key, AlertKind::Recurring);
            if let Some(until) = memory.recurring_until(now, &policy)
                && known.contains_key(&recurring)
            {
                keep.push((recurring, Some(until)));
            }
        }
        for (id, until) in keep {
            match known.remove(&id) {
                Some(alert) => {
                    let limit = self.policy.limits.alerts;
                    let (severity, summary) = (alert.severity, alert.summary.clone());
                    let since = alert.since;
                    self.alerts
                        .raise(since, id.clone(), severity, || summary, limit);
                    self.emit(Effect::Raise(Box::new(alert)));
                }
                None => self.raise(id.clone(), Severity::Error, || {
                    format!("{id}: left to a person; acknowledge it to go on")
                }),
            }
            if let Some(until) = until {
                self.expire_alert(&id, until);
            }
        }
        for alert in known.into_values().map(Box::new) {
            self.record(What::Resolved(alert.clone()));
            self.emit(Effect::Resolve(alert));
        }
    }

    /// Watches blocked keys without an open issue, so that their alerts end.
    fn watch_blocked(&mut self) {
        let limit = self.policy.limits.engines;
        let blocked: Vec<_> = self
            .memories
            .iter()
            .filter(|(key, memory)| memory.kept.block.is_some() && !self.keys.contains_key(key))
            .filter_map(|(key, memory)| Some((key.clone(), memory.kept.engine.clone()?)))
            .collect();
        for (key, engine) in blocked {
            if let Some(ix) = self.engines.intern(&engine, limit)
                && let Some(engine) = self.engines.get_mut(ix)
            {
                engine.watched.insert(key, 0);
            }
        }
    }
}
