//! Invariants of service escalation.

use super::Watch;
use crate::healing::core::{AlertId, ServiceEscalation, Severity, State, Target};

impl Watch {
    pub(super) fn escalated(
        &mut self,
        id: &AlertId,
        level: ServiceEscalation,
        severity: Severity,
        state: &State,
    ) {
        let policy = state.policy();
        assert!(!self.paused && !self.killed && !self.stopping && !policy.dry_run);
        assert!(!state.storm.is_active(), "{id} is escalated in a storm");
        let after = match level {
            ServiceEscalation::NotReady => policy.escalation.not_ready_after,
            ServiceEscalation::Exit => policy.escalation.exit_after,
        };
        let after = after.expect("the policy wants it");
        assert!(severity >= policy.escalation.severity, "{id} is too mild");
        if let Some(key) = &id.key {
            let since = self.given_up.get(key).expect("healing has given up on it");
            assert!(self.now - *since >= after, "{id} is escalated too early");
            for target in [
                Target::Key(key.clone()),
                Target::Component(key.component.clone()),
            ] {
                let mute = self.mutes.get(&target);
                assert!(mute.is_none_or(|(_, most)| severity > *most), "{id}");
            }
        } else {
            assert!(self.runs.values().any(|runs| runs.given_up));
        }
        match level {
            ServiceEscalation::NotReady => {
                assert!(self.not_ready.insert(id.clone()), "{id}: twice");
            }
            ServiceEscalation::Exit => {
                assert!(!self.exiting && !self.journal_down);
                self.exiting = true;
                let budget = policy.escalation.exits;
                self.exits.push(self.now);
                let recent = self
                    .exits
                    .iter()
                    .filter(|&&at| at + budget.window > self.now);
                assert!(recent.count() <= budget.max as usize, "too many exits");
            }
        }
    }

    /// Escalations end with their issues.
    pub(super) fn is_ready_again(&self, state: &State) {
        assert!(state.not_ready().eq(&self.not_ready));
        for id in &self.not_ready {
            let stays = match &id.key {
                Some(key) => self.given_up.contains_key(key),
                None => self.runs.values().any(|runs| runs.given_up),
            };
            assert!(stays, "{id} keeps the service from being ready for nothing");
        }
    }
}
