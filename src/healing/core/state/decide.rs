//! Which attempts may start now, and the guards that hold back the rest.

use super::State;
use super::queue::{Place, WaitFor};
use super::slab::SlotId;
use super::spent::{Draw, Kept};
use super::storm::StormChange;
use super::timers::Timer;
use crate::config::{Mode, Override};
use crate::healing::core::tally::ActionLabels;
use crate::healing::core::{
    AlertId, AlertKind, Confidence, Hold, IssueKey, Moment, Outcomes, ParkReason, Phase, Plan,
    Risk, Severity, ShortText, Step, What,
};

impl State {
    /// Starts attempts, worst fault first, until a guard holds all back.
    pub(super) fn pump(&mut self) {
        self.pump_undo();
        while let Some(slot) = self.next_in_line() {
            self.at_hand = Some(slot);
            match self.global_holds(true).pop() {
                None => {}
                Some(Hold::Concurrency { .. }) => return self.wait_for_ramp(),
                Some(_) => return,
            }
            match self.holds(slot, true).pop() {
                None => self.start(slot),
                Some(hold) => self.hold_back(slot, hold),
            }
        }
    }

    /// The first of the ready issues and of those whose budget is available again.
    fn next_in_line(&mut self) -> Option<SlotId> {
        if let Some(slot) = self.queue.first() {
            return Some(slot);
        }
        let (now, budgets) = (self.now.at, self.policy.budget);
        let kept = Kept::of_all(&budgets);
        let (mut free, mut wake) = (None, None);
        for draw in Draw::all() {
            let Some((rank, slot)) = self.queue.first_waiting(&WaitFor::GlobalBudget(draw)) else {
                continue;
            };
            match self.spent.blocked_until(now, &budgets.global, kept, draw) {
                None => free = free.into_iter().chain([(rank, slot)]).min(),
                Some(until) => wake = wake.into_iter().chain([until]).min(),
            }
        }
        if let Some((_, slot)) = free {
            self.make_ready(slot);
        } else if self.budget_timer != wake {
            if let Some(old) = self.budget_timer.take() {
                self.timers.cancel(old, Timer::GlobalBudget);
            }
            if let Some(at) = wake {
                self.timers.set(at, Timer::GlobalBudget);
            }
            self.budget_timer = wake;
        }
        self.queue.first()
    }

    /// The share of the budgets that the next attempt of an issue may draw on.
    pub(super) fn draw(&self, entry: &super::entry::Entry) -> Draw {
        Draw {
            severity: entry.issue.severity,
            unspent: self.unspent_at(entry.component) <= self.now.at,
        }
    }

    /// When the attempts spent by a component no longer count.
    fn unspent_at(&self, component: super::components::ComponentIx) -> Moment {
        let component = self.components.get(component);
        let last = component.and_then(|component| component.spent.last());
        last.map_or(Moment::from_nanos(i64::MIN), |last| {
            last + self.policy.budget.global.window
        })
    }

    /// Requests a wake-up when the ramp admits one more attempt.
    fn wait_for_ramp(&mut self) {
        let policy = &self.policy;
        let rises = self
            .ramp
            .rises_at(self.now.at, policy.ramp, policy.max_running);
        if let Some(at) = rises
            && self.ramp_timer != rises
        {
            self.ramp_timer = rises;
            self.timers.set(at, Timer::Ramp);
        }
    }

    /// Guards that hold everything back, rollbacks included: the first, or all.
    pub(super) fn global_holds(&self, first: bool) -> Vec<Hold> {
        let policy = &self.policy;
        let (running, zombies) = (self.attempts.running(), self.attempts.zombies());
        let may_run = self
            .ramp
            .allowed(self.now.at, policy.ramp, policy.max_running);
        let checks = [
            (self.stopping, Hold::ShuttingDown),
            (self.killed, Hold::Killed),
            (self.paused, Hold::Paused),
            (
                self.storm.is_active(),
                Hold::Storm {
                    until: self.storm.ends_at(&policy.storm),
                },
            ),
            (
                zombies >= policy.max_zombies as usize,
                Hold::Zombies {
                    count: zombies,
                    limit: policy.max_zombies,
                },
            ),
            (
                running >= may_run as usize,
                Hold::Concurrency {
                    running,
                    limit: may_run,
                },
            ),
        ];
        let mut holds = Vec::new();
        for (holds_back, hold) in checks {
            if holds_back {
                holds.push(hold);
                if first {
                    break;
                }
            }
        }
        holds
    }

    /// Guards that hold this issue back: the first, or all.
    pub(super) fn holds(&self, slot: SlotId, first: bool) -> Vec<Hold> {
        let mut holds = Vec::new();
        let Some(entry) = self.open.get(slot) else {
            return holds;
        };
        let Some((plan, step)) = entry.next_step().filter(|_| !entry.unplanned) else {
            return vec![Hold::NoPlan];
        };
        let (key, now) = (&entry.issue.key, self.now.at);
        let risk = step.risk.unwrap_or(plan.risk);
        let approved = entry.approved.is_some();
        // Unless all holds are wanted, the first one ends the checks.
        let budgets = &self.policy.budget;
        let draw = self.draw(entry);
        let checks: [&dyn Fn() -> Option<Hold>; 9] = [
            &|| {
                let until = self.mutes.muted_until(key, entry.issue.severity)?;
                Some(Hold::Muted { until })
            },
            &|| {
                let parent = self.components.blocking_parent(entry.component)?;
                let component = self.components.get(parent)?.name.clone();
                Some(Hold::Parent { component })
            },
            &|| (self.journal_down && risk != Risk::Reversible).then_some(Hold::Journal),
            &|| match self.mode(key, plan, risk) {
                Mode::DryRun => Some(Hold::DryRun),
                Mode::Approval if !approved => Some(Hold::Approval),
                Mode::Approval | Mode::Run => None,
            },
            &|| {
                let needed = self.needed_confidence(risk);
                let confidence = self.confidence(entry, step);
                // Retries after giving up ignore the action's own success rate.
                let gate = match entry.gave_up {
                    Some(_) => confidence.detector.value,
                    None => confidence.gate(),
                };
                (gate < needed && !approved).then_some(Hold::Confidence { gate, needed })
            },
            &|| {
                let intensity = plan.budget.unwrap_or(self.policy.intensity);
                let memory = self.memories.get(key)?;
                let until = memory.attempts.blocked_until(now, &intensity)?;
                Some(Hold::Intensity { until })
            },
            &|| {
                let spent = &self.components.get(entry.component)?.spent;
                let kept = Kept::of_one(budgets);
                let until = spent.blocked_until(now, &budgets.component, kept, draw)?;
                let kept = spent.left(now, &budgets.component);
                Some(Hold::ComponentBudget { until, kept })
            },
            &|| {
                let (budget, kept) = (&budgets.global, Kept::of_all(budgets));
                let mut until = self.spent.blocked_until(now, budget, kept, draw)?;
                if !draw.unspent {
                    let draw = Draw {
                        unspent: true,
                        ..draw
                    };
                    let then = self.spent.blocked_until(now, budget, kept, draw);
                    until = until.min(
                        then.max(Some(self.unspent_at(entry.component)))
                            .unwrap_or(until),
                    );
                }
                let kept = self.spent.left(now, budget);
                Some(Hold::GlobalBudget { until, kept })
            },
            &|| {
                let lock = entry.lock();
                let holder = self.attempts.holder(lock)?;
                Some(Hold::Lock {
                    lock: lock.clone(),
                    holder,
                })
            },
        ];
        for check in checks {
            if let Some(hold) = check() {
                holds.push(hold);
                if first {
                    break;
                }
            }
        }
        holds
    }

    /// Whether it needs a person's approval.
    pub(super) fn needs_a_person(&self, slot: SlotId) -> bool {
        let holds = self.holds(slot, false);
        let mut holds = holds.iter();
        holds.any(|hold| {
            matches!(
                hold,
                Hold::Approval | Hold::Confidence { .. } | Hold::NoPlan
            )
        })
    }

    fn hold_back(&mut self, slot: SlotId, hold: Hold) {
        let Some(component) = self.open.get(slot).map(|entry| entry.component) else {
            return;
        };
        match hold {
            Hold::Muted { .. } => self.wait_for(slot, WaitFor::Unmute),
            Hold::Parent { component } => {
                if let Some(parent) = self.components.find(&component) {
                    self.wait_for(slot, WaitFor::Parent(parent));
                }
            }
            Hold::Journal => self.wait_for(slot, WaitFor::Journal),
            Hold::DryRun => self.report(slot),
            Hold::Approval | Hold::Confidence { .. } => self.ask_for_approval(slot),
            Hold::Intensity { until } => self.give_up(slot, ParkReason::Intensity, until),
            Hold::ComponentBudget { until, .. } => {
                self.wait_for(slot, WaitFor::Budget(component));
                self.timers.set(until, Timer::ComponentBudget(component));
            }
            Hold::GlobalBudget { .. } => self.wait_for_budget(slot),
            Hold::Lock { lock, .. } => self.wait_for(slot, WaitFor::Lock(lock)),
            // The plan that it waits for puts it in line again.
            _ => self.set_place(slot, Place::Nowhere),
        }
    }

    fn wait_for_budget(&mut self, slot: SlotId) {
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let (draw, unspent_at) = (self.draw(entry), self.unspent_at(entry.component));
        self.wait_for(slot, WaitFor::GlobalBudget(draw));
        if !draw.unspent {
            self.timers.set(unspent_at, Timer::Unspent(slot));
        }
    }

    /// The component of an issue has no spent attempts any more: it may draw on the share reserved
    /// for such.
    pub(super) fn unspent(&mut self, slot: SlotId) {
        let entry = self.open.get(slot);
        let waits = entry.is_some_and(|entry| {
            matches!(&entry.place, Place::Waiting(WaitFor::GlobalBudget(_), _))
        });
        if waits {
            self.make_ready(slot);
        }
    }

    /// Reports what a dry run would do.
    fn report(&mut self, slot: SlotId) {
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

    fn ask_for_approval(&mut self, slot: SlotId) {
        let until = self.now.at + self.policy.approval.expires;
        self.move_to(slot, Phase::Approval, None, Some(until));
        let Some(entry) = self.open.get(slot) else {
            return;
        };
        let (key, severity) = (entry.issue.key.clone(), entry.issue.severity);
        let action = entry.next_step().map(|(_, step)| step.action.clone());
        let action = action.as_ref().map_or("", |action| action.as_str());
        let why = format!("`{action}` waits for approval: approve or deny it");
        self.raise_about(&key, AlertKind::Approval, severity, &why);
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

    pub(super) fn confidence(&self, entry: &super::entry::Entry, step: &Step) -> Confidence {
        let labels = ActionLabels {
            issue_type: entry.issue.key.issue_type.clone(),
            action: step.action.clone(),
        };
        let outcomes = self.outcomes.get(&labels).copied();
        Confidence {
            detector: entry.issue.confidence,
            action: outcomes.unwrap_or(Outcomes::default()).confidence(),
        }
    }

    /// Whether so many components are bad that the cause is elsewhere.
    pub(super) fn weigh_storm(&mut self) {
        let (bad, known) = (self.components.bad(), self.components.known());
        let policy = self.policy.storm;
        match self.storm.update(self.now.at, bad, known, &policy) {
            StormChange::None => {}
            StormChange::Began => {
                let id = AlertId::global(AlertKind::Storm);
                self.raise(id, Severity::Critical, || {
                    ShortText::new(&format!(
                        "{bad} of {known} components are bad at once: nothing is started; look for \
                         a common cause"
                    ))
                });
            }
            StormChange::Ended => {
                self.resolve(&AlertId::global(AlertKind::Storm));
                self.ramp.begin(self.now.at);
                self.wake_all(&WaitFor::Turn);
            }
        }
        let ends = self.storm.ends_at(&policy);
        if ends != self.storm_timer {
            if let Some(old) = self.storm_timer.take() {
                self.timers.cancel(old, Timer::Storm);
            }
            if let Some(at) = ends {
                self.timers.set(at, Timer::Storm);
            }
            self.storm_timer = ends;
        }
    }

    /// Forgets components that are idle and whose attempts no longer count.
    pub(super) fn forget_idle_components(&mut self) {
        let budget = &self.policy.budget;
        let longest = budget.component.window.max(budget.global.window);
        let limit = self.policy.limits.components;
        self.components.forget_idle(self.now.at, longest, limit);
        if self.components.take_forgot() {
            for slot in self.queue.waiting_for_parents() {
                self.wake(slot);
            }
        }
    }

    pub(super) fn component_budget_back(&mut self, component: super::components::ComponentIx) {
        self.wake_all(&WaitFor::Budget(component));
    }
}

fn applies(one: &Override, key: &IssueKey) -> bool {
    let fits = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|w| w == is);
    fits(&one.component, key.component.as_str()) && fits(&one.issue_type, key.issue_type.as_str())
}
