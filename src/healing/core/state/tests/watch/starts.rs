//! Invariants of starts.

use std::time::Duration;

use super::{Proof, Runs, Started, Watch};
use crate::config::{HealingPolicy, Mode};
use crate::healing::core::{
    By, Effect, IssueKey, Moment, Plan, Risk, Severity, Start, State, Target, What, Work,
};

impl Watch {
    /// Invariants 3, 5 to 8.
    pub(super) fn start(&mut self, start: &Start, effects: &[Effect], state: &State) {
        let key = &start.issue.key;
        let policy = state.policy();
        assert!(
            self.seen_attempts.insert(start.intent.attempt),
            "a number twice"
        );
        assert!(
            !self
                .runs
                .values()
                .any(|runs| runs.lock == start.intent.lock),
            "two hold {}",
            start.intent.lock
        );
        assert!(
            self.runs.len() < policy.max_running as usize,
            "too many run"
        );
        if let Some(since) = self.let_go {
            let share = (self.now - since).as_secs_f64() / policy.ramp.as_secs_f64();
            let more = f64::from(policy.max_running - 1) * share;
            // Without a ramp, the share is NaN or infinite.
            let too_fast = more < self.runs.len() as f64;
            assert!(!too_fast, "it starts too fast: {more}");
        }
        let zombies = self.runs.values().filter(|runs| runs.given_up).count();
        assert!(zombies < policy.max_zombies as usize, "too many zombies");
        assert!(!self.paused && !self.killed && !self.stopping);
        assert!(!state.storm.is_active(), "it starts in a storm");
        let intent = effects.iter().find_map(|effect| match effect {
            Effect::Record(record) => match &record.what {
                What::AttemptStarted(intent) if intent.attempt == start.intent.attempt => {
                    Some(intent)
                }
                _ => None,
            },
            _ => None,
        });
        let intent = intent.expect("the intent is recorded");
        assert_eq!(**intent, start.intent, "what starts is what was recorded");
        let place = |wanted: &dyn Fn(&Effect) -> bool| effects.iter().position(wanted);
        let recorded = place(&|effect| {
            matches!(effect, Effect::Record(r) if matches!(&r.what,
                What::AttemptStarted(i) if i.attempt == start.intent.attempt))
        });
        let started = place(&|effect| matches!(effect, Effect::Start(s) if **s == *start));
        assert!(recorded < started, "the intent comes first");
        if start.intent.work == Work::Heal {
            // The plan is one that its engine made.
            let plan = state.plan_of(key).expect("it has a plan");
            assert!(self.plans[key].contains(plan), "{plan:?}");
            self.guards(
                start,
                plan,
                intent.risk,
                &intent.by,
                intent.confidence.gate(),
                policy,
            );
            self.budgets(key, start.issue.severity, policy);
            if self.given_up.contains_key(key) && intent.by == By::Policy {
                assert_eq!(intent.risk, Risk::Reversible, "{key} is left to a person");
                let last = self.last_start.get(key);
                let slow = last.is_none_or(|last| self.now - *last >= policy.retry_every);
                assert!(slow, "{key} is tried again too soon");
            }
            self.last_start.insert(key.clone(), self.now);
            let settle = plan.settle.expect("all plans of this test say");
            let proof = Proof {
                settle,
                ..Proof::default()
            };
            self.proofs.insert(key.clone(), proof);
            self.started += 1;
        }
        let runs = Runs {
            engine: start.intent.engine.clone(),
            key: key.clone(),
            lock: start.intent.lock.clone(),
            work: start.intent.work,
            given_up: false,
            dirty: false,
        };
        self.runs.insert(start.intent.attempt, runs);
    }

    fn guards(
        &self,
        start: &Start,
        plan: &Plan,
        risk: Risk,
        by: &By,
        gate: f64,
        policy: &HealingPolicy,
    ) {
        let key = &start.issue.key;
        for target in [
            Target::Key(key.clone()),
            Target::Component(key.component.clone()),
        ] {
            let mute = self.mutes.get(&target);
            let muted = mute.is_some_and(|(_, most)| start.issue.severity <= *most);
            assert!(!muted, "{key} is muted");
        }
        let drawn = self.drawn.get(key).copied().unwrap_or(Moment::START);
        assert!(drawn <= self.now, "{key} starts before its time");
        assert!(!self.journal_down || risk == Risk::Reversible);
        assert!(!policy.dry_run);
        assert_eq!(plan.steps[start.intent.step].action, start.intent.action);
        let step = &plan.steps[start.intent.step];
        assert_eq!(step.risk.unwrap_or(plan.risk), risk);
        let by_risk = [
            policy.modes.reversible,
            policy.modes.disruptive,
            policy.modes.destructive,
        ][risk as usize];
        let person = *by != By::Policy;
        if person {
            // The approval was for exactly this step and generation.
            let approved = self.approved.get(key);
            assert_eq!(approved, Some(&(start.issue.generation, start.intent.step)));
        }
        match plan.mode.unwrap_or(by_risk) {
            Mode::Run => {}
            Mode::Approval => assert!(person, "no one approved {key}"),
            Mode::DryRun => panic!("{key} starts in dry-run"),
        }
        let needed = [
            policy.min_confidence.reversible,
            policy.min_confidence.disruptive,
            policy.min_confidence.destructive,
        ][risk as usize];
        let again = self.given_up.contains_key(key);
        let enough = gate >= needed || person || again;
        assert!(enough, "{gate} is not enough");
    }

    fn budgets(&mut self, key: &IssueKey, severity: Severity, policy: &HealingPolicy) {
        let budgets = policy.budget;
        let component = &key.component;
        let counts = |one: &Started, window: Duration| one.at + window > self.now;
        let spent = |one: &Started| one.component == *component;
        let unspent = !self
            .starts
            .iter()
            .any(|one| spent(one) && counts(one, budgets.global.window));
        self.starts.push(Started {
            at: self.now,
            component: component.clone(),
            severity,
            unspent,
        });
        for (level, most) in (0..).zip(Severity::ALL) {
            // Kept for worse issues, and for components that have spent nothing.
            let worse = f64::from(3 - level) * budgets.kept_per_severity;
            let left = |max: u32, kept: f64| (f64::from(max) * (1.0 - kept) + 1e-3).max(1.0);
            let milder = || self.starts.iter().filter(|one| one.severity <= most);
            let of_all = || milder().filter(|one| counts(one, budgets.global.window));
            let global = budgets.global.max;
            assert!(of_all().count() as f64 <= left(global, worse));
            let again = of_all().filter(|one| !one.unspent).count();
            assert!(again as f64 <= left(global, worse + budgets.kept_for_unspent));
            let (window, max) = (budgets.component.window, budgets.component.max);
            let own = milder().filter(|one| spent(one) && counts(one, window));
            assert!(own.count() as f64 <= left(max, worse));
        }
    }
}
