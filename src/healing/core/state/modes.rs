//! The mode of an action, the confidence it needs, and what is done instead of running it.

use super::State;
use super::entry::Entry;
use super::slab::SlotId;
use crate::config::{Mode, Override};
use crate::healing::core::tally::ActionLabels;
use crate::healing::core::{
    AlertKind, Confidence, Evidence, IssueKey, ParkReason, Phase, Plan, Risk, Step, What,
};

/// The evidence that describes a fault in a sentence, such as the annotation of a rule.
const SUMMARY: &str = "summary";

impl State {
    /// Reports what a dry run would do.
    pub(super) fn report(&mut self, slot: SlotId) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        if let Some((_, step)) = entry.next_step() {
            let what = What::WouldRun {
                key: entry.issue.key.clone(),
                generation: entry.issue.generation,
                action: step.action.clone(),
                confidence: self.confidence(entry, step),
            };
            self.record(what);
        }
        self.park(slot, ParkReason::DryRun);
    }

    /// The action that would run but for its mode, and the setting that would enable it.
    pub(super) fn not_run(&self, slot: SlotId) -> String {
        let entry = self.open.get(slot);
        let Some((entry, (plan, step))) = entry.and_then(|e| Some((e, e.next_step()?))) else {
            return "nothing is done".to_owned();
        };
        let risk = step.risk.unwrap_or(plan.risk);
        let (key, action) = (&entry.issue.key, &step.action);
        let setting = if self.policy.dry_run {
            "`healing.dry_run = false`".to_owned()
        } else if self.policy.overrides.iter().any(|one| applies(one, key)) {
            "`mode = \"run\"` in `healing.overrides`".to_owned()
        } else if plan.mode.is_some() {
            "another `mode` in its plan".to_owned()
        } else {
            let risk = risk.as_str();
            format!("`healing.modes.{risk} = \"run\"`, or a milder risk in its plan")
        };
        format!("`{action}` would run, but its mode is dry-run; to run it, set {setting}")
    }

    /// The report of a fault that nothing is done about.
    pub(super) fn only_reported(&self, slot: SlotId) -> String {
        let evidence = self.open.get(slot).map(|entry| &entry.issue.evidence);
        let mut evidence = evidence.into_iter().flat_map(Evidence::iter);
        let why = "its plan only reports it; the alert ends with the fault";
        match evidence.find(|(name, _)| *name == SUMMARY) {
            Some((_, summary)) => format!("{summary}; {why}"),
            None => why.to_owned(),
        }
    }

    pub(super) fn ask_for_approval(&mut self, slot: SlotId) {
        let until = self.now.at + self.policy.approval.expires;
        self.move_to(slot, Phase::Approval, None, Some(until));
        let step = self.open.get(slot).and_then(|entry| entry.next_step());
        let action = step.map_or("", |(_, step)| step.action.as_str());
        let why = format!("`{action}` waits for approval: approve or deny it");
        self.raise_about(slot, AlertKind::Approval, &why);
    }

    pub(super) fn mode(&self, key: &IssueKey, plan: &Plan, risk: Risk) -> Mode {
        if self.policy.dry_run {
            return Mode::DryRun;
        }
        let by_risk = match risk {
            Risk::Reversible => self.policy.modes.reversible,
            Risk::Disruptive => self.policy.modes.disruptive,
            Risk::Destructive => self.policy.modes.destructive,
        };
        let mut overrides = self.policy.overrides.iter();
        let of_the_operator = overrides.find(|one| applies(one, key)).map(|one| one.mode);
        of_the_operator.or(plan.mode).unwrap_or(by_risk)
    }

    pub(super) fn needed_confidence(&self, risk: Risk) -> f64 {
        match risk {
            Risk::Reversible => self.policy.min_confidence.reversible,
            Risk::Disruptive => self.policy.min_confidence.disruptive,
            Risk::Destructive => self.policy.min_confidence.destructive,
        }
    }

    pub(super) fn confidence(&self, entry: &Entry, step: &Step) -> Confidence {
        let labels = ActionLabels::new(&entry.issue.key, &step.action);
        let outcomes = self.outcomes.get(&labels).copied();
        Confidence {
            detector: entry.issue.confidence,
            action: outcomes.unwrap_or_default().confidence(),
        }
    }
}

fn applies(one: &Override, key: &IssueKey) -> bool {
    let fits = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|w| w == is);
    fits(&one.component, key.component.as_str()) && fits(&one.issue_type, key.issue_type.as_str())
}
