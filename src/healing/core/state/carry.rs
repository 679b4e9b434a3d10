//! The state as records: the first lines of a new journal file.

use super::State;
use crate::healing::core::{AttemptId, Carried, Generation, OpenState, Record, Stamp, What};

impl State {
    /// Returns the state as records: a journal that begins with them and continues with later
    /// records [restores](State::restore) to the same state.
    ///
    /// They take the next sequence numbers: the next record must follow them directly.
    pub fn carry(&mut self, now: Stamp) -> Vec<Record> {
        self.now = Stamp::new(self.now.at.max(now.at), now.wall);
        let mut all = vec![Carried::Engine {
            paused: self.paused,
            killed: self.killed,
            attempts: AttemptId(self.attempt_ids),
            generations: Generation(self.generations),
        }];
        self.carry_budgets(&mut all);
        all.extend(self.outcomes.iter().map(|(labels, outcomes)| {
            let (issue_type, action) = (labels.issue_type.clone(), labels.action.clone());
            Carried::Outcomes {
                issue_type,
                action,
                outcomes: *outcomes,
            }
        }));
        let memories = self.memories.iter();
        all.extend(memories.map(|(_, memory)| Carried::Key(memory.kept.clone())));
        all.extend(self.mutes.iter().map(|(target, mute)| Carried::Mute {
            target: target.clone(),
            until: mute.until,
            tolerate: mute.tolerate,
        }));
        self.carry_issues(&mut all);
        let alerts: Vec<_> = self.alerts.iter().cloned().map(Box::new).collect();
        let carried = all.into_iter().map(|one| What::Carried(Box::new(one)));
        let remembered = self.remembered.clone().into_iter();
        let remembered = remembered.map(|(name, value)| What::Remembered { name, value });
        let carried = carried
            .chain(alerts.into_iter().map(What::Raised))
            .chain(remembered);
        let mut records: Vec<_> = carried.map(|what| self.numbered(what)).collect();
        if let Some(first) = records.first_mut() {
            first.stamp.up = now.up;
        }
        records
    }

    fn carry_budgets(&self, all: &mut Vec<Carried>) {
        let components = self.components.iter();
        let windows = components.map(|one| (Some(one.name.clone()), &one.spent));
        for (component, spent) in windows.chain([(None, &self.spent)]) {
            all.extend(spent.iter().map(|(draw, at)| Carried::Spent {
                component: component.clone(),
                severity: draw.severity,
                unspent: draw.unspent,
                at: at.iter().copied().collect(),
            }));
        }
        if !self.exits.is_empty() {
            let at = self.exits.clone();
            all.push(Carried::Exits { at });
        }
    }

    fn carry_issues(&self, all: &mut Vec<Carried>) {
        for (_, entry) in &self.open {
            let Some(engine) = self.engines.get(entry.engine) else {
                continue;
            };
            // An ended but unverified attempt counts, as it would after a crash.
            let treatment = entry.treatment.as_ref();
            let unverified = treatment.is_some_and(|t| self.attempts.get(t.attempt).is_none());
            let more = match treatment {
                Some(treatment) if treatment.hopeless => u32::MAX,
                _ => u32::from(unverified),
            };
            all.push(Carried::Issue(OpenState {
                issue: entry.issue.clone(),
                engine: engine.name.clone(),
                step: entry.step,
                used: entry.used.saturating_add(more),
                attempts: entry.attempts,
            }));
        }
        for (_, attempt) in self.attempts.iter().filter(|(_, one)| !one.zombie) {
            all.push(Carried::Attempt {
                intent: (*attempt.intent).clone(),
                started: attempt.started,
            });
        }
    }
}
