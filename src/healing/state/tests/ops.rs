//! Random histories: what can happen to the machine, and a shell that drives it.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::watch::{Policies, Watch};
use crate::config::{Budget, Confirm, HealingPolicy, Limits, Mode};
use crate::healing::{
    AttemptId, AttemptResult, By, Control, Effect, Event, Generation, IssueKey, Moment, Name,
    Observation, Plan, Record, Risk, Severity, Stamp, State, Target, Text, Ticket, Verdict, Wall,
};

/// One thing that happens. Numbers pick one of what there is at that time.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Wait(Duration),
    /// Until something is due.
    Sleep,
    Hint(Seen),
    Pass {
        engine: u8,
        age: Duration,
        seen: Vec<Seen>,
    },
    PassFails(u8),
    Plan(usize, u8),
    PlanFails(usize),
    End(usize, AttemptResult),
    /// An answer once more that was given before.
    EndAgain(usize),
    Judge(usize, Verdict, Duration),
    Control(Wish),
    Journal(bool),
    Reload(u8),
    Engine(u8, bool),
    Depends(u8, u8),
    Shutdown,
    /// The journal begins anew with what is known.
    Rotate,
    /// The process is killed, and starts again after this time.
    Restart(Duration),
}

#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) engine: u8,
    pub(super) key: u8,
    pub(super) severity: Severity,
    pub(super) samples: (u32, u32),
    pub(super) parent: Option<u8>,
}

#[derive(Debug, Clone)]
pub(super) enum Wish {
    Pause,
    Resume,
    Kill,
    Revive,
    Mute(u8, bool, Duration, Option<Severity>),
    Unmute(u8, bool),
    Acknowledge(u8),
    Approve(u8, Option<bool>),
    Deny(u8),
    Trigger(u8),
}

const COMPONENTS: u8 = 5;
const KEYS: u8 = 8;

pub(super) fn key(n: u8) -> IssueKey {
    let component = format!("c{}", n % COMPONENTS);
    IssueKey::new(
        component.as_str(),
        if n % KEYS < COMPONENTS {
            "down"
        } else {
            "slow"
        },
    )
}

fn engine(n: u8) -> Name {
    Name::new(["red", "blue"][usize::from(n % 2)])
}

impl Seen {
    pub(super) fn observation(&self) -> Observation {
        let key = key(self.key);
        let mut seen = Observation::new(key.component, key.issue_type)
            .severity(self.severity)
            .samples(self.samples.0, self.samples.1)
            .evidence("n", self.samples.1.to_string());
        if let Some(parent) = self.parent {
            seen = seen.parent(format!("c{}", parent % COMPONENTS).as_str());
        }
        seen
    }
}

/// Times around those of the policies, so that borders are met exactly.
pub(super) fn waits() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => (0u64..40).prop_map(|n| Duration::from_millis(n * 500)),
        1 => Just(Duration::ZERO),
        1 => (1u64..30).prop_map(Duration::from_nanos),
        1 => (0u64..4000).prop_map(Duration::from_secs),
    ]
}

pub(super) fn severities() -> impl Strategy<Value = Severity> {
    prop::sample::select(Severity::ALL.to_vec())
}

pub(super) fn seen() -> impl Strategy<Value = Seen> {
    let samples = prop_oneof![
        6 => Just((30, 30)), 2 => Just((1, 1)), 1 => Just((0, 4)), 1 => Just((5, 2)),
    ];
    let parent = prop_oneof![9 => Just(None), 1 => (0..COMPONENTS).prop_map(Some)];
    (0u8..2, 0..KEYS, severities(), samples, parent).prop_map(
        |(engine, key, severity, samples, parent)| Seen {
            engine,
            key,
            severity,
            samples,
            parent,
        },
    )
}

fn wishes() -> impl Strategy<Value = Wish> {
    prop_oneof![
        2 => Just(Wish::Pause),
        3 => Just(Wish::Resume),
        1 => Just(Wish::Kill),
        2 => Just(Wish::Revive),
        2 => (0..KEYS, any::<bool>(), waits(), prop::option::of(severities()))
            .prop_map(|(key, all, lasting, most)| Wish::Mute(key, all, lasting, most)),
        1 => (0..KEYS, any::<bool>()).prop_map(|(key, all)| Wish::Unmute(key, all)),
        4 => (0..KEYS).prop_map(Wish::Acknowledge),
        6 => (0..KEYS, prop::option::of(prop::bool::weighted(0.8)))
            .prop_map(|(key, right)| Wish::Approve(key, right)),
        1 => (0..KEYS).prop_map(Wish::Deny),
        2 => (0..KEYS).prop_map(Wish::Trigger),
    ]
}

pub(super) fn ops() -> impl Strategy<Value = Op> {
    let result = prop_oneof![
        6 => Just(AttemptResult::Ok),
        4 => prop::sample::select(AttemptResult::ALL.to_vec()),
    ];
    let verdict = prop_oneof![
        5 => Just(Verdict::Good), 2 => Just(Verdict::Bad), 1 => Just(Verdict::Unknown),
    ];
    let age = || prop_oneof![4 => Just(Duration::ZERO), 1 => waits()];
    prop_oneof![
        14 => waits().prop_map(Op::Wait),
        16 => Just(Op::Sleep),
        12 => seen().prop_map(Op::Hint),
        16 => (0u8..2, age(), prop::collection::vec(seen(), 0..7))
            .prop_map(|(engine, age, seen)| Op::Pass { engine, age, seen }),
        1 => (0u8..2).prop_map(Op::PassFails),
        26 => (any::<usize>(), 0u8..7).prop_map(|(n, plan)| Op::Plan(n, plan)),
        1 => any::<usize>().prop_map(Op::PlanFails),
        20 => (any::<usize>(), result).prop_map(|(n, result)| Op::End(n, result)),
        2 => any::<usize>().prop_map(Op::EndAgain),
        24 => (any::<usize>(), verdict, age())
            .prop_map(|(n, verdict, age)| Op::Judge(n, verdict, age)),
        9 => wishes().prop_map(Op::Control),
        1 => prop::bool::weighted(0.7).prop_map(Op::Journal),
        2 => (0u8..5).prop_map(Op::Reload),
        1 => (0u8..2, prop::bool::weighted(0.8)).prop_map(|(n, there)| Op::Engine(n, there)),
        1 => (0..COMPONENTS, 0..COMPONENTS).prop_map(|(a, b)| Op::Depends(a, b)),
        1 => Just(Op::Rotate),
        1 => waits().prop_map(Op::Restart),
    ]
}

const SECOND: Duration = Duration::from_secs(1);

/// Tight, so that every guard is met within a few steps.
pub(super) fn policies() -> Policies {
    let mut tight = HealingPolicy {
        confirm: Confirm::of(2, 3),
        settle: 2 * SECOND,
        timeout: 4 * SECOND,
        grace: SECOND,
        attempts: 2,
        intensity: Budget::new(4, 60 * SECOND),
        max_running: 3,
        max_zombies: 2,
        patience: 600 * SECOND,
        ..HealingPolicy::default()
    };
    tight.modes.disruptive = Mode::Run;
    tight.min_confidence.disruptive = 0.15;
    tight.backoff.base = SECOND;
    tight.backoff.cap = 8 * SECOND;
    tight.backoff.reset_after = 20 * SECOND;
    tight.budget.component = Budget::new(4, 30 * SECOND);
    tight.budget.global = Budget::new(6, 30 * SECOND);
    tight.storm.min_components = 4;
    tight.storm.hold = 5 * SECOND;
    tight.flap.heals = 2;
    tight.flap.window = 120 * SECOND;
    tight.recurrence.heals = 2;
    tight.recurrence.window = 300 * SECOND;
    tight.approval.expires = 100 * SECOND;
    tight.limits = Limits {
        open: 6,
        open_per_engine: 5,
        mutes: 3,
        keys: 4,
        series: 5,
        ..Limits::default()
    };
    let mut wide = tight.clone();
    wide.confirm = Confirm::at_once();
    wide.storm.min_components = 100;
    wide.flap.heals = 50;
    wide.intensity.max = 100;
    wide.limits = Limits {
        components: 4,
        alerts: 3,
        ..Limits::default()
    };
    let mut dry = wide.clone();
    dry.dry_run = true;
    let mut asking = wide.clone();
    asking.modes.reversible = Mode::Approval;
    asking.ageing = Duration::ZERO;
    let mut roomy = wide.clone();
    roomy.limits = Limits::default();
    roomy.max_running = 100;
    roomy.budget.component.max = 1_000;
    roomy.budget.global.max = 1_000;
    [tight, wide, dry, asking, roomy].map(Arc::new)
}

pub(super) fn plan(n: u8) -> Plan {
    let settle = [Duration::ZERO, SECOND, 2 * SECOND][usize::from(n % 3)];
    let plan = match n {
        0 => Plan::first("a").risk(Risk::Reversible),
        1 => Plan::first("a")
            .attempts(1)
            .with_rollback()
            .then("b")
            .attempts(2),
        2 => Plan::first("c")
            .risk(Risk::Destructive)
            .confirm(Confirm::at_once()),
        3 => Plan::first("a").lock("shared").risk(Risk::Reversible),
        4 => Plan::first("b")
            .risk(Risk::Reversible)
            .attempts(3)
            .confirm(Confirm::at_once())
            .timeout(10 * SECOND)
            .at_last("d")
            .attempts(1),
        5 => Plan::default(),
        _ => Plan::first("a")
            .with_rollback()
            .lock("shared")
            .confirm(Confirm::at_once())
            .risk(Risk::Reversible),
    };
    plan.settle(settle)
}

/// A shell that answers when the history says so.
#[derive(Debug, Clone)]
pub(super) struct Driver {
    pub(super) state: State,
    pub(super) watch: Watch,
    pub(super) now: Stamp,
    pub(super) policies: Policies,
    pub(super) records: Vec<Record>,
    pub(super) wake: Moment,
    elapsed: Duration,
    plans: Vec<Ticket>,
    attempts: Vec<AttemptId>,
    ended: Vec<AttemptId>,
    looks: Vec<Ticket>,
    most: Limits,
}

impl Driver {
    pub(super) fn new(policy: usize, seed: u64) -> Self {
        let policies = policies();
        let state = State::new(Arc::clone(&policies[policy % 5]), seed);
        let mut driver = Self::over(state, policies);
        driver.add_engines();
        driver
    }

    fn add_engines(&mut self) {
        for n in 0..2 {
            self.tell(Event::EngineAdded {
                engine: engine(n),
                components: (0..COMPONENTS)
                    .map(|n| Name::new(&format!("c{n}")))
                    .collect(),
            });
        }
    }

    /// The process is killed, and a new one takes up what its journal tells.
    fn restart(&mut self, down: Duration) {
        self.pass_time(down);
        let gone = self.now.at - Moment::START;
        self.now.at = Moment::START;
        let policy = Arc::clone(&self.state.policy);
        let (state, effects) = State::restore(policy, self.state.seed, self.now, &self.records);
        self.state = state;
        self.watch.restarted(gone, &effects);
        self.plans.clear();
        self.attempts.clear();
        self.ended.clear();
        self.looks.clear();
        self.wake = Moment::NEVER;
        self.take(&effects);
        self.state.audit();
        self.add_engines();
    }

    pub(super) fn over(state: State, policies: Policies) -> Self {
        Self {
            state,
            watch: Watch::default(),
            now: Stamp::new(Moment::START, Wall::from_millis(1_600_000_000_000)),
            policies,
            records: Vec::new(),
            wake: Moment::NEVER,
            elapsed: Duration::ZERO,
            plans: Vec::new(),
            attempts: Vec::new(),
            ended: Vec::new(),
            looks: Vec::new(),
            most: Limits::default(),
        }
    }

    /// Tells the core, and has everything checked.
    pub(super) fn tell(&mut self, event: Event) -> Vec<Effect> {
        self.watch.told(self.now.at, &event, &self.state);
        let effects = self.state.step(self.now, event);
        self.watch.answered(&effects, &self.state);
        self.take(&effects);
        self.state.audit();
        self.state.audit_bounds(&self.most);
        effects
    }

    pub(super) fn take(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Record(record) => self.records.push((**record).clone()),
                Effect::Plan { ticket, .. } => self.plans.push(*ticket),
                Effect::Start(start) => self.attempts.push(start.attempt),
                Effect::Verify { ticket, .. } => self.looks.push(*ticket),
                Effect::WakeAt(at) => self.wake = *at,
                _ => {}
            }
        }
    }

    pub(super) fn pass_time(&mut self, by: Duration) {
        self.now.at = self.now.at + by;
        self.elapsed += by;
        let millis = u64::try_from(self.elapsed.as_millis()).unwrap();
        self.now.wall = Wall::from_millis(1_600_000_000_000 + millis);
    }

    pub(super) fn run(&mut self, op: &Op) {
        match op {
            Op::Wait(by) => {
                self.pass_time(*by);
                self.tell(Event::Tick);
            }
            Op::Sleep => {
                if self.wake != Moment::NEVER {
                    self.pass_time(self.wake - self.now.at);
                }
                self.tell(Event::Tick);
            }
            Op::Hint(seen) => {
                self.tell(Event::Observed {
                    engine: engine(seen.engine),
                    observation: seen.observation(),
                });
            }
            Op::Pass {
                engine: n,
                age,
                seen,
            } => {
                self.tell(Event::Detected {
                    engine: engine(*n),
                    began: self.now.at.back(*age),
                    observations: seen.iter().map(Seen::observation).collect(),
                });
            }
            Op::PassFails(n) => {
                self.tell(Event::DetectFailed {
                    engine: engine(*n),
                    began: self.now.at,
                });
            }
            Op::Plan(n, which) => self.plan(*n, Ok(plan(*which))),
            Op::PlanFails(n) => self.plan(*n, Err(Text::new("it panicked"))),
            Op::End(n, result) => self.end(*n, *result),
            Op::EndAgain(n) => {
                if let Some(&attempt) = pick(&self.ended, *n) {
                    self.tell(ended(attempt, AttemptResult::Ok));
                }
            }
            Op::Judge(n, verdict, age) => self.judge(*n, *verdict, *age),
            Op::Control(wish) => self.wish(wish),
            Op::Journal(healthy) => {
                self.tell(Event::Journal { healthy: *healthy });
            }
            Op::Reload(n) => {
                let policy = Arc::clone(&self.policies[usize::from(n % 5)]);
                self.tell(Event::Reload(policy));
            }
            Op::Engine(n, true) => {
                self.tell(Event::EngineAdded {
                    engine: engine(*n),
                    components: Vec::new(),
                });
            }
            Op::Engine(n, false) => {
                self.tell(Event::EngineRemoved { engine: engine(*n) });
            }
            Op::Depends(a, b) => {
                self.tell(Event::DependsOn {
                    component: Name::new(&format!("c{a}")),
                    parent: Name::new(&format!("c{b}")),
                });
            }
            Op::Shutdown => {
                self.tell(Event::Shutdown);
            }
            Op::Rotate => self.records = self.state.carry(self.now),
            Op::Restart(down) => self.restart(*down),
        }
    }

    pub(super) fn plan(&mut self, n: usize, plan: Result<Plan, Text>) {
        if let Some(ticket) = take(&mut self.plans, n) {
            self.tell(Event::Planned { ticket, plan });
        }
    }

    pub(super) fn end(&mut self, n: usize, result: AttemptResult) {
        if let Some(attempt) = take(&mut self.attempts, n) {
            self.ended.push(attempt);
            self.tell(ended(attempt, result));
        }
    }

    pub(super) fn judge(&mut self, n: usize, verdict: Verdict, age: Duration) {
        if let Some(ticket) = take(&mut self.looks, n) {
            self.tell(Event::Judged {
                ticket,
                data_from: self.now.at.back(age),
                verdict,
            });
        }
    }

    fn wish(&mut self, wish: &Wish) {
        let target = |n: u8, all: bool| {
            if all {
                Target::Component(key(n).component)
            } else {
                Target::Key(key(n))
            }
        };
        let control = match wish {
            Wish::Pause => Control::Pause,
            Wish::Resume => Control::Resume,
            Wish::Kill => Control::Kill,
            Wish::Revive => Control::Revive,
            Wish::Mute(n, all, lasting, tolerate) => Control::Mute {
                target: target(*n, *all),
                lasting: *lasting,
                tolerate: *tolerate,
            },
            Wish::Unmute(n, all) => Control::Unmute {
                target: target(*n, *all),
            },
            Wish::Acknowledge(n) => Control::Acknowledge { key: key(*n) },
            Wish::Approve(n, right) => Control::Approve {
                key: key(*n),
                generation: right.map(|right| {
                    let open = self.state.issue(&key(*n));
                    let is = open.map_or(Generation(0), |(issue, ..)| issue.generation);
                    Generation(is.0 + u64::from(!right))
                }),
            },
            Wish::Deny(n) => Control::Deny { key: key(*n) },
            Wish::Trigger(n) => Control::Trigger { key: key(*n) },
        };
        self.tell(Event::Control {
            control,
            by: By::Person(Name::new("ann")),
        });
    }

    /// Whether everything that was asked for is answered.
    pub(super) fn is_answered(&self) -> bool {
        self.plans.is_empty() && self.attempts.is_empty() && self.looks.is_empty()
    }
}

fn ended(attempt: AttemptId, result: AttemptResult) -> Event {
    Event::Ended {
        attempt,
        result,
        message: Text::new("x"),
    }
}

fn pick<T>(list: &[T], n: usize) -> Option<&T> {
    list.get(n.checked_rem(list.len())?)
}

fn take<T>(list: &mut Vec<T>, n: usize) -> Option<T> {
    let place = n.checked_rem(list.len())?;
    Some(list.remove(place))
}
