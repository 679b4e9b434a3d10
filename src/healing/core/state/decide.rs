//! Which attempts may start now, and the guards that hold back the rest.

use super::State;
use super::queue::{Place, WaitFor};
use super::slab::SlotId;
use super::spent::{Draw, Kept};
use super::timers::Timer;
use super::window;
use crate::config::Mode;
use crate::healing::core::{AlertId, AlertKind, Hold, Moment, ParkReason, Risk, Severity};

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
        } else {
            self.timers.set(Timer::GlobalBudget, wake);
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
        self.timers.set(Timer::Ramp, rises);
    }

    /// Guards that hold everything back, rollbacks included: the first, or all.
    pub(super) fn global_holds(&self, first: bool) -> Vec<Hold> {
        let policy = &self.policy;
        let (running, zombies) = (self.attempts.running(), self.attempts.zombies());
        let may_run = self
            .ramp
            .allowed(self.now.at, policy.ramp, policy.max_running);
        let own = [
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
        let checks = self.stops().into_iter().chain(own);
        let holds = checks.filter_map(|(holds_back, hold)| holds_back.then_some(hold));
        holds.take(wanted(first)).collect()
    }

    /// What stops everything: attempts, rollbacks and escalations.
    pub(super) fn stops(&self) -> [(bool, Hold); 4] {
        let until = self.storm.ends_at(&self.policy.storm);
        [
            (self.stopping, Hold::ShuttingDown),
            (self.killed, Hold::Killed),
            (self.paused, Hold::Paused),
            (self.storm.is_active(), Hold::Storm { until }),
        ]
    }

    /// Guards that hold this issue back: the first, or all.
    pub(super) fn holds(&self, slot: SlotId, first: bool) -> Vec<Hold> {
        let Some(entry) = self.open.get(slot) else {
            return Vec::new();
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
                let until = window::blocked_until(&memory.kept.attempts, now, &intensity)?;
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
        let holds = checks.iter().filter_map(|check| check());
        holds.take(wanted(first)).collect()
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
                let timer = Timer::ComponentBudget(component);
                // Another issue may be let through earlier.
                let first = self.timers.get(&timer).unwrap_or(until).min(until);
                self.timers.set(timer, first);
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
            self.timers.set(Timer::Unspent(slot), unspent_at);
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

    /// Whether so many components are bad that the cause is elsewhere.
    pub(super) fn weigh_storm(&mut self) {
        let (bad, known) = (self.components.bad(), self.components.known());
        let policy = self.policy.storm;
        if self.storm.update(self.now.at, bad, known, &policy) {
            let id = AlertId::global(AlertKind::Storm);
            if self.storm.is_active() {
                self.raise(id, Severity::Critical, || {
                    format!(
                        "{bad} of {known} components are bad at once: nothing is started; look for \
                         a common cause"
                    )
                });
            } else {
                self.resolve(&id);
                self.ramp.begin(self.now.at);
                self.wake_all(&WaitFor::Turn);
            }
        }
        self.timers.set(Timer::Storm, self.storm.ends_at(&policy));
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
}

/// How many guards are asked for.
const fn wanted(first: bool) -> usize {
    if first { 1 } else { usize::MAX }
}
