//! Each guard and each fault by name, on a scripted runtime.

mod budgets;
mod components;
mod escalation;
mod faults;
mod giving_up;
mod guards;
mod people;
mod reporting;

use std::sync::Arc;
use std::time::Duration;

use super::super::State;
use crate::config::{Confirm, HealingPolicy};
use crate::healing::core::{
    AlertKind, AttemptId, AttemptResult, By, Control, Effect, Event, Explanation, IssueKey, Moment,
    Name, Observation, ParkReason, Phase, Plan, Risk, Severity, ShortText, Stamp, Start, Ticket,
    Unknown, Verdict, Wall, What,
};

const SECOND: Duration = Duration::from_secs(1);

/// A core with one engine that has one plan.
pub(super) struct Bench {
    pub(super) state: State,
    pub(super) now: Stamp,
    pub(super) plan: Plan,
    pub(super) log: Vec<Effect>,
    checks: Vec<(IssueKey, Ticket)>,
    runs: Vec<Start>,
    wake: Moment,
}

/// A policy that confirms at once, never flaps, and has budget for everything.
fn policy() -> HealingPolicy {
    let mut policy = HealingPolicy {
        confirm: Confirm::at_once(),
        max_running: 100,
        ..HealingPolicy::default()
    };
    policy.budget.component.max = 1_000;
    policy.budget.global.max = 1_000;
    policy.intensity.max = 1_000;
    policy.flap.heals = 64;
    policy.recurrence.heals = 64;
    policy.backoff.base = Duration::ZERO;
    policy.ramp = Duration::ZERO;
    policy
}

fn plan() -> Plan {
    Plan::first("restart").risk(Risk::Reversible)
}

fn key(component: &str) -> IssueKey {
    IssueKey::new(component, "down")
}

fn down(component: &str) -> Observation {
    Observation::new(component, "down").samples(30, 30)
}

impl Bench {
    fn new(policy: HealingPolicy) -> Self {
        Self::with(policy, plan())
    }

    fn with(policy: HealingPolicy, plan: Plan) -> Self {
        policy.validate().unwrap();
        let mut bench = Self {
            state: State::new(Arc::new(policy), 1),
            now: Stamp::new(Moment::START, Wall::from_millis(1_600_000_000_000)),
            plan,
            log: Vec::new(),
            checks: Vec::new(),
            runs: Vec::new(),
            wake: Moment::NEVER,
        };
        bench.feed(Event::EngineAdded {
            engine: Name::new("e"),
            components: Vec::new(),
        });
        bench
    }

    fn feed(&mut self, event: Event) {
        let effects = self.state.step(self.now, event);
        self.state.audit();
        for effect in &effects {
            match effect {
                Effect::Start(start) => self.runs.push((**start).clone()),
                Effect::Verify { ticket, issue, .. } => {
                    self.checks.push((issue.key.clone(), *ticket));
                }
                Effect::WakeAt(at) => self.wake = *at,
                _ => {}
            }
        }
        self.log.extend(effects);
    }

    /// The engine's plan, if the core needs one for the observation.
    fn offer(&self, engine: &str, observation: &Observation) -> Option<Result<Plan, ShortText>> {
        let engine = Name::new(engine);
        let issue = self.state.to_plan(self.now, &engine, observation)?;
        assert_eq!(issue.key, observation.key);
        Some(Ok(self.plan.clone()))
    }

    fn hint(&mut self, observation: Observation) {
        self.hint_of("e", observation);
    }

    fn hint_of(&mut self, engine: &str, observation: Observation) {
        self.feed(Event::Observed {
            engine: Name::new(engine),
            plan: self.offer(engine, &observation),
            observation,
        });
    }

    fn detect(&mut self, observations: Vec<Observation>) {
        self.pass_of("e", self.now.at, observations);
    }

    fn pass_of(&mut self, engine: &str, began: Moment, found: Vec<Observation>) {
        let offer = |one: Observation| {
            let plan = self.offer(engine, &one);
            (one, plan)
        };
        self.feed(Event::Detected {
            engine: Name::new(engine),
            began,
            observations: found.into_iter().map(offer).collect(),
            left_out: None,
            unknown: Unknown::default(),
        });
    }

    fn wait(&mut self, by: Duration) {
        self.now.at = self.now.at + by;
        self.feed(Event::Tick);
    }

    fn sleep(&mut self) {
        assert_ne!(self.wake, Moment::NEVER, "there is nothing to wait for");
        self.now.at = self.now.at.max(self.wake);
        self.feed(Event::Tick);
    }

    /// Ends the oldest running attempt.
    fn end(&mut self, result: AttemptResult) -> AttemptId {
        let attempt = self.runs.remove(0).intent.attempt;
        self.feed(Event::Ended {
            attempt,
            result,
            message: ShortText::new(""),
            hopeless: false,
        });
        attempt
    }

    /// Answers the oldest verification.
    fn judge(&mut self, verdict: Verdict) {
        let (_, ticket) = self.checks.remove(0);
        self.feed(Event::Judged {
            ticket,
            data_from: self.now.at,
            verdict,
        });
    }

    /// Heals a running attempt: it returns ok, and is verified.
    fn heal(&mut self) {
        self.end(AttemptResult::Ok);
        self.judge(Verdict::Good);
        while !self.checks.is_empty() || self.state.snapshot().open.get(Phase::Settling) > 0 {
            if self.checks.is_empty() {
                self.sleep();
            } else {
                self.judge(Verdict::Good);
            }
        }
    }

    /// Heals whatever runs.
    fn heal_all(&mut self) {
        while !self.runs.is_empty() {
            self.heal();
        }
    }

    fn explain_all(&self) -> Vec<Explanation> {
        let keys = self.state.issues().map(|(issue, ..)| &issue.key);
        keys.filter_map(|key| self.state.explain(key)).collect()
    }

    fn control(&mut self, control: Control) {
        self.feed(Event::Control {
            control,
            by: By::Person(Name::new("ann")),
        });
    }

    fn running(&self) -> Vec<&str> {
        let runs = self.runs.iter();
        runs.map(|start| start.issue.key.component.as_str())
            .collect()
    }

    fn phase(&self, component: &str) -> Option<(Phase, Option<ParkReason>)> {
        let (_, phase, reason) = self.state.issue(&key(component))?;
        Some((phase, reason))
    }

    fn explain(&self, component: &str) -> Explanation {
        self.state.explain(&key(component)).unwrap()
    }

    fn alerts(&self) -> Vec<AlertKind> {
        self.state.alerts().map(|alert| alert.id.kind).collect()
    }

    fn refused(&self) -> Option<&str> {
        self.log.iter().rev().find_map(|effect| match effect {
            Effect::Notice(crate::healing::core::Notice::Refused { why }) => Some(why.as_str()),
            _ => None,
        })
    }

    fn recorded(&self, wanted: impl Fn(&What) -> bool) -> usize {
        let log = self.log.iter();
        log.filter(|effect| matches!(effect, Effect::Record(record) if wanted(&record.what)))
            .count()
    }
}

/// A critical observation.
fn critical(component: &str) -> Observation {
    down(component).severity(Severity::Critical)
}
