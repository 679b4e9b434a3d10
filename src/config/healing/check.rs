//! Validation of the policy. Every fault is reported; none is corrected silently.

use std::time::Duration;

use super::{Backoff, Budget, Budgets, Confirm, Escalation, HealingPolicy, Limits};
use crate::config::range::check_range;
use crate::config::{Faults, duration};

/// Ten years; a longer duration is a mistake in the unit.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

impl HealingPolicy {
    /// Adds every fault, with field names relative to the section.
    pub(crate) fn check(&self, faults: &mut Faults) {
        self.check_guards(faults);
        for (field, wait) in [
            ("detect_every", self.detect_every),
            ("timeout", self.timeout),
            ("patience", self.patience),
            ("retry_every", self.retry_every),
        ] {
            positive(field, wait, faults);
        }
        for (field, wait) in [
            ("settle", self.settle),
            ("grace", self.grace),
            ("ageing", self.ageing),
            ("ramp", self.ramp),
        ] {
            not_too_long(field, wait, faults);
        }
        for (field, count) in [
            ("clear", self.clear),
            ("attempts", self.attempts),
            ("max_running", self.max_running),
            ("max_zombies", self.max_zombies),
        ] {
            at_least_one(field, count, faults);
        }
        faults.within("confirm", |faults| self.confirm.check(faults));
        faults.within("backoff", |faults| self.backoff.check(faults));
        faults.within("budget", |faults| {
            faults.within("component", |faults| self.budget.component.check(faults));
            faults.within("global", |faults| self.budget.global.check(faults));
            self.budget.check_kept(faults);
        });
        faults.within("intensity", |faults| self.intensity.check(faults));
        faults.within("verify", |faults| {
            positive("timeout", self.verify.timeout, faults);
            not_too_long("every", self.verify.every, faults);
            at_least_one("tries", self.verify.tries, faults);
        });
        faults.within("escalation", |faults| self.escalation.check(faults));
        faults.within("limits", |faults| self.limits.check(faults));
    }

    fn check_guards(&self, faults: &mut Faults) {
        faults.within_each("overrides", &self.overrides, |faults, _, one| {
            if one.component.is_none() && one.issue_type.is_none() {
                faults.add(
                    "",
                    "it names neither a component nor an issue type",
                    "name one, or use `modes` for all",
                );
            }
        });
        faults.within("min_confidence", |faults| {
            ratio("reversible", self.min_confidence.reversible, faults);
            ratio("disruptive", self.min_confidence.disruptive, faults);
            ratio("destructive", self.min_confidence.destructive, faults);
        });
        faults.within("storm", |faults| {
            ratio("share", self.storm.share, faults);
            at_least_one("min_components", self.storm.min_components, faults);
            not_too_long("hold", self.storm.hold, faults);
        });
        for (field, heals, window) in [
            ("flap", self.flap.heals, self.flap.window),
            ("recurrence", self.recurrence.heals, self.recurrence.window),
        ] {
            faults.within(field, |faults| {
                within("heals", heals, 1, 64, faults);
                positive("window", window, faults);
            });
        }
        faults.within("approval", |faults| {
            positive("expires", self.approval.expires, faults);
        });
    }
}

impl Budgets {
    fn check_kept(&self, faults: &mut Faults) {
        ratio("kept_per_severity", self.kept_per_severity, faults);
        ratio("kept_for_unspent", self.kept_for_unspent, faults);
        let kept = 3.0 * self.kept_per_severity + self.kept_for_unspent;
        if (0.0..=1.0).contains(&self.kept_per_severity) && kept >= 1.0 {
            faults.add(
                "kept_per_severity",
                "three times this plus `kept_for_unspent` leaves nothing for the lowest severity",
                "keep less than everything, such as 0.1 and 0.2",
            );
        }
    }
}

impl Budget {
    /// Adds every fault, with field names relative to the budget.
    pub(crate) fn check(&self, faults: &mut Faults) {
        within("max", self.max, 1, Self::MOST, faults);
        positive("window", self.window, faults);
    }
}

impl Backoff {
    /// Adds every fault, with field names relative to the section.
    pub(crate) fn check(&self, faults: &mut Faults) {
        not_too_long("base", self.base, faults);
        not_too_long("cap", self.cap, faults);
        not_too_long("reset_after", self.reset_after, faults);
        if self.base > self.cap {
            faults.add(
                "base",
                format!(
                    "{} is more than the cap of {}",
                    duration::format(self.base),
                    duration::format(self.cap)
                ),
                "raise `cap` or lower `base`",
            );
        }
    }
}

impl Confirm {
    /// Adds every fault, with field names relative to the section.
    pub(crate) fn check(self, faults: &mut Faults) {
        at_least_one("bad", self.bad, faults);
        within("of", self.of, 1, Self::MOST, faults);
        if self.bad > self.of {
            faults.add(
                "bad",
                format!(
                    "{} of {} detection runs can never be reached",
                    self.bad, self.of
                ),
                "raise `of` or lower `bad`",
            );
        }
    }
}

impl Escalation {
    fn check(&self, faults: &mut Faults) {
        for (field, wait) in [
            ("not_ready_after", self.not_ready_after),
            ("exit_after", self.exit_after),
        ] {
            if let Some(wait) = wait {
                not_too_long(field, wait, faults);
            }
        }
        if self.exit_after.is_some_and(|exit| exit.is_zero()) {
            faults.add(
                "exit_after",
                "it would end the process at once",
                "give the time that a restart may take, such as \"10m\", or leave it out",
            );
        }
        if let (Some(not_ready), Some(exit)) = (self.not_ready_after, self.exit_after)
            && exit < not_ready
        {
            faults.add(
                "exit_after",
                format!(
                    "{} is less than the {} of not_ready_after",
                    duration::format(exit),
                    duration::format(not_ready)
                ),
                "traffic should stop before the process does: raise it",
            );
        }
        faults.within("exits", |faults| self.exits.check(faults));
    }
}

impl Limits {
    fn check(&self, faults: &mut Faults) {
        const MOST: u32 = 1_000_000;
        for (field, limit) in [
            ("open", self.open),
            ("open_per_engine", self.open_per_engine),
            ("engines", self.engines),
            ("components", self.components),
            ("keys", self.keys),
            ("mutes", self.mutes),
            ("alerts", self.alerts),
            ("series", self.series),
        ] {
            within(field, limit, 1, MOST, faults);
        }
    }
}

fn ratio(field: &str, value: f64, faults: &mut Faults) {
    let hint = "give a share, such as 0.5";
    check_range(field, &value, &(0.0..=1.0), hint, faults);
}

fn at_least_one(field: &str, count: u32, faults: &mut Faults) {
    within(field, count, 1, u32::MAX, faults);
}

fn within(field: &str, value: u32, least: u32, most: u32, faults: &mut Faults) {
    if value < least {
        faults.add(
            field,
            format!("{value} would switch healing off"),
            format!("give at least {least}; to stop healing, pause it or set `dry_run`"),
        );
    } else if value > most {
        faults.add(
            field,
            format!("{value} is more than {most}"),
            format!("give at most {most}"),
        );
    }
}

fn positive(field: &str, wait: Duration, faults: &mut Faults) {
    if wait.is_zero() {
        faults.add(field, "it is zero", "give a duration, such as \"30s\"");
    }
    not_too_long(field, wait, faults);
}

fn not_too_long(field: &str, wait: Duration, faults: &mut Faults) {
    if wait > LONGEST {
        faults.add(
            field,
            format!("{} is more than ten years", duration::format(wait)),
            "check the unit: ms, s, m, h or d",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Mode, Override};

    fn paths(policy: &HealingPolicy) -> Vec<String> {
        match policy.validate() {
            Ok(()) => Vec::new(),
            Err(faults) => faults.iter().map(|fault| fault.path.clone()).collect(),
        }
    }

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(paths(&HealingPolicy::default()), Vec::<String>::new());
    }

    #[test]
    fn every_fault_is_found_at_once() {
        let mut policy = HealingPolicy {
            confirm: Confirm::of(4, 3),
            ..HealingPolicy::default()
        };
        policy.backoff.base = Duration::from_secs(600);
        policy.budget.global.max = 0;
        policy.budget.component.window = Duration::ZERO;
        policy.intensity.max = 10_001;
        policy.storm.share = f64::NAN;
        policy.min_confidence.destructive = 1.5;
        policy.flap.heals = 65;
        policy.timeout = Duration::MAX;
        policy.limits.open = 0;
        policy.escalation.not_ready_after = Some(Duration::from_secs(60));
        policy.escalation.exit_after = Some(Duration::from_secs(30));
        policy.escalation.exits.max = 0;
        policy.overrides.push(Override {
            component: None,
            issue_type: None,
            mode: Mode::Run,
        });
        let mut found = paths(&policy);
        found.sort();
        assert_eq!(
            found,
            [
                "backoff.base",
                "budget.component.window",
                "budget.global.max",
                "confirm.bad",
                "escalation.exit_after",
                "escalation.exits.max",
                "flap.heals",
                "intensity.max",
                "limits.open",
                "min_confidence.destructive",
                "overrides[0]",
                "storm.share",
                "timeout",
            ]
        );
    }

    #[test]
    fn reads_itself_back_from_text() {
        let policy = HealingPolicy::default();
        let text = serde_json::to_string(&policy).unwrap();
        assert!(text.contains("\"settle\":\"10s\""), "{text}");
        assert_eq!(
            serde_json::from_str::<HealingPolicy>(&text).unwrap(),
            policy
        );
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let refused = serde_json::from_str::<HealingPolicy>(r#"{"storm":{"shares":0.2}}"#);
        assert!(refused.unwrap_err().to_string().contains("shares"));
    }
}
