//! The operations of a history, and its policies and plans.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::driver::Policies;
use crate::config::{Budget, Confirm, HealingPolicy, Limits, Mode};
use crate::healing::core::{
    AttemptResult, IssueKey, Name, Observation, Plan, Risk, Severity, ShortText, Verdict,
};

/// An operation. Numbers select one of the candidates at that time.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Wait(Duration),
    /// Waits until a timer is due.
    Sleep,
    Hint(Seen),
    Run {
        engine: u8,
        age: Duration,
        seen: Vec<Seen>,
        left_out: bool,
        /// The keys that it could not determine.
        unknown: Vec<u8>,
    },
    PassFails(u8),
    End(usize, AttemptResult),
    /// Repeats an answer that was given before.
    EndAgain(usize),
    Judge(usize, Verdict, Duration),
    Control(Wish),
    Journal(bool),
    Reload(u8),
    Engine(u8, bool),
    Depends(u8, u8),
    Shutdown,
    /// Begins a new journal file with the current state.
    Rotate,
    /// Kills the process, and starts it again after this time.
    Restart(Duration),
}

#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) engine: u8,
    pub(super) key: u8,
    pub(super) severity: Severity,
    pub(super) samples: (u32, u32),
    pub(super) parent: Option<u8>,
    /// The plan of the observation.
    pub(super) plan: u8,
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

pub(super) const COMPONENTS: u8 = 5;
const KEYS: u8 = 8;
const PANICS: u8 = 100;
const NOT_ASKED: u8 = 101;

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

pub(super) fn engine(n: u8) -> Name {
    Name::new(["red", "blue"][usize::from(n % 2)])
}

impl Seen {
    /// The observation with its plan. Some plans panic, and some engines were not asked for one.
    pub(super) fn offered(&self) -> (Observation, Option<Result<Plan, ShortText>>) {
        let plan = match self.plan {
            PANICS => Some(Err(ShortText::new("it panicked"))),
            NOT_ASKED => None,
            which => Some(Ok(plan(which))),
        };
        (self.observation(), plan)
    }

    pub(super) fn observation(&self) -> Observation {
        let key = key(self.key);
        let mut seen = Observation::new(key.component, key.issue_type)
            .severity(self.severity)
            .samples(self.samples.0, self.samples.1)
            .evidence("n", self.samples.1.to_string());
        if let Some(parent) = self.parent {
            seen = seen.parent(format!("c{}", parent % COMPONENTS).as_str());
        }
        if self.key % KEYS >= COMPONENTS && self.severity == Severity::Info {
            seen = seen.superseding();
        }
        seen
    }
}

/// Times around those of the policies, so that limits are met exactly.
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
    let plan = prop_oneof![
        20 => 0u8..8, 1 => Just(PANICS), 3 => Just(NOT_ASKED),
    ];
    (0u8..2, 0..KEYS, severities(), samples, parent, plan).prop_map(
        |(engine, key, severity, samples, parent, plan)| Seen {
            engine,
            key,
            severity,
            samples,
            parent,
            plan,
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
    let unknown = prop_oneof![
        3 => Just(Vec::new()), 1 => prop::collection::vec(0..KEYS, 1..5),
    ];
    let age = || prop_oneof![4 => Just(Duration::ZERO), 1 => waits()];
    prop_oneof![
        14 => waits().prop_map(Op::Wait),
        16 => Just(Op::Sleep),
        12 => seen().prop_map(Op::Hint),
        18 => (0u8..2, age(), prop::collection::vec(seen(), 0..7), prop::bool::weighted(0.05), unknown)
            .prop_map(|(engine, age, seen, left_out, unknown)| {
                Op::Run { engine, age, seen, left_out, unknown }
            }),
        1 => (0u8..2).prop_map(Op::PassFails),
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
    tight.ramp = 3 * SECOND;
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
    wide.limits = Limits {
        components: 4,
        alerts: 3,
        ..Limits::default()
    };
    wide.escalation.severity = Severity::Warning;
    wide.escalation.not_ready_after = Some(2 * SECOND);
    wide.escalation.exit_after = Some(8 * SECOND);
    wide.escalation.exits = Budget::new(2, 300 * SECOND);
    wide.intensity.max = 6;
    let mut dry = wide.clone();
    dry.dry_run = true;
    let mut asking = wide.clone();
    asking.modes.reversible = Mode::Approval;
    asking.ageing = Duration::ZERO;
    let mut roomy = wide.clone();
    roomy.limits = Limits::default();
    roomy.max_running = 100;
    roomy.intensity.max = 100;
    roomy.ramp = Duration::ZERO;
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
        6 => Plan::report(),
        8 => Plan::first("a")
            .attempts(2)
            .then("b")
            .attempts(1)
            .risk(Risk::Reversible),
        _ => Plan::first("a")
            .with_rollback()
            .lock("shared")
            .confirm(Confirm::at_once())
            .risk(Risk::Reversible),
    };
    plan.settle(settle)
}
