//! The core alone, among 10,000 open issues: half of them wait for approval, half for a lock.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Bencher, Criterion};
use selfheal::config::{Backoff, Budget, Confirm, HealingPolicy};
use selfheal::healing::core::{Effect, Event, Moment, ShortText, Stamp, State, Unknown, Wall};
use selfheal::healing::{
    AttemptResult, IssueKey, Name, Observation, Plan, Risk, Severity, Verdict,
};
use selfheal_benches::{Line, fastest};

const OPEN: usize = 10_000;
const COMPONENTS: usize = 500;

/// A core, its clock, and a buffer for its effects.
struct Bench {
    state: State,
    now: Stamp,
    effects: Vec<Effect>,
    engine: Name,
}

fn policy() -> HealingPolicy {
    // Each cycle is an attempt, which must not exhaust a budget.
    let brief = Budget::new(Budget::MOST, Duration::from_nanos(1));
    let mut policy = HealingPolicy::default();
    policy.confirm = Confirm::at_once();
    policy.settle = Duration::ZERO;
    policy.intensity = brief;
    policy.budget.component = brief;
    policy.budget.global = brief;
    policy.flap.window = Duration::from_nanos(1);
    policy.recurrence.window = Duration::from_nanos(1);
    policy.storm.min_components = u32::MAX;
    policy.limits.open = 20_000;
    policy.limits.open_per_engine = 20_000;
    policy.backoff = Backoff {
        base: Duration::ZERO,
        ..Backoff::default()
    };
    policy
}

fn quick() -> Plan {
    Plan::first("restart").risk(Risk::Reversible)
}

fn seen(n: usize) -> Observation {
    let component = format!("component{}", n % COMPONENTS);
    let issue_type = format!("fault{}", n / COMPONENTS);
    Observation::new(component.as_str(), issue_type.as_str())
        .samples(30, 30)
        .evidence("error", "connection refused")
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self {
            state: State::new(Arc::new(policy()), 1),
            now: Stamp::new(Moment::START, Wall::from_millis(1_600_000_000_000)),
            effects: Vec::new(),
            engine: Name::new("engine"),
        };
        for n in 0..OPEN {
            let plan = if n % 2 == 0 {
                quick().risk(Risk::Destructive)
            } else {
                quick().lock("held")
            };
            bench.observe(seen(n), Some(plan));
        }
        assert_eq!(bench.state.snapshot().open.sum(), OPEN as u64);
        bench
    }

    fn feed(&mut self, event: Event) {
        // A nanosecond for each event, so that budgets never fill.
        self.now.at = self.now.at + Duration::from_nanos(1);
        self.state.step_into(self.now, event, &mut self.effects);
    }

    fn observe(&mut self, observation: Observation, plan: Option<Plan>) {
        self.effects.clear();
        let engine = self.engine.clone();
        self.feed(Event::Observed {
            engine,
            observation,
            plan: plan.map(Ok),
        });
    }

    /// From the attempt that has just started to the end of the issue.
    fn heal(&mut self) {
        let attempt = self.effects.iter().find_map(|effect| match effect {
            Effect::Start(start) => Some(start.intent.attempt),
            _ => None,
        });
        self.feed(Event::Ended {
            attempt: attempt.expect("it starts"),
            result: AttemptResult::Ok,
            message: ShortText::new(""),
            hopeless: false,
        });
        let ticket = self.effects.iter().find_map(|effect| match effect {
            Effect::Verify { ticket, .. } => Some(*ticket),
            _ => None,
        });
        self.feed(Event::Judged {
            ticket: ticket.expect("it verifies"),
            data_from: self.now.at,
            verdict: Verdict::Good,
        });
    }
}

/// A row: its name, what it counts in, what we promised ourselves, and how much of the unit one
/// iteration is.
struct Row {
    name: &'static str,
    target: &'static str,
    limit: &'static str,
    many: f64,
}

const fn row(name: &'static str, target: &'static str, limit: &'static str) -> Row {
    Row {
        name,
        target,
        limit,
        many: 1.0,
    }
}

const LIMIT: Row = row("observation copied and dropped", "", "");
const COALESCED: Row = row(
    "observation coalesced, 10,000 keys in turn",
    "1,000 ns: a million a second",
    "the copy of an observation, and a miss of the cache",
);
const REPEATED: Row = Row {
    many: 1_000.0,
    ..row(
        "observation coalesced, one key, in a pass of 1,000",
        "1,000 ns: a million a second",
        "the copy of an observation",
    )
};
const DECIDED: Row = row(
    "observation to start of the action",
    "20,000 ns",
    "two events, four records",
);
const HEALED: Row = row("a whole heal, observation to closed", "", "four events");
const EXPLAINED: Row = row("explain", "", "");
const SNAPSHOT: Row = row("snapshot", "", "the copy of 500 series");
const TICK: Row = row("tick with nothing due", "", "");

/// Measures all rows whose names have one of the words.
pub(crate) fn lines(
    criterion: &mut Criterion,
    tmpdir: &str,
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut bench = Bench::new();
    let mut run = |row: &Row, f: &mut dyn FnMut(&mut Bench, &mut Bencher<'_>)| {
        if !wanted(row.name) {
            return;
        }
        let mut group = criterion.benchmark_group("healing");
        group.bench_function(row.name, |b| f(&mut bench, b));
        group.finish();
        let figure = fastest(tmpdir, "healing", row.name);
        let cell = figure.map(|ns| ("selfheal", ns / row.many));
        let line = Line::new(row.name, "ns", cell);
        lines.push(line.target(row.target).limit(row.limit));
    };

    let known: Vec<_> = (0..OPEN).map(seen).collect();
    let mut n = 0;
    run(&LIMIT, &mut |_, b| {
        b.iter(|| {
            n = (n + 7) % OPEN;
            black_box(known[n].clone())
        });
    });
    run(&COALESCED, &mut |bench, b| {
        b.iter(|| {
            n = (n + 7) % OPEN;
            bench.observe(known[n].clone(), None);
        });
    });
    let repeated = vec![(known[1].clone(), None); 1_000];
    run(&REPEATED, &mut |bench, b| {
        b.iter(|| {
            bench.effects.clear();
            let (engine, observations) = (bench.engine.clone(), repeated.clone());
            // As old as the start, so that it counts as hints, and says nothing about other keys.
            let began = Moment::START;
            bench.feed(Event::Detected {
                engine,
                began,
                observations,
                left_out: None,
                unknown: Unknown::default(),
            });
        });
    });
    let fresh = Observation::new("fresh", "down")
        .severity(Severity::Critical)
        .samples(30, 30);
    run(&DECIDED, &mut |bench, b| {
        b.iter_custom(|times| {
            let mut spent = Duration::ZERO;
            for _ in 0..times {
                let (observation, plan) = (fresh.clone(), quick());
                let start = Instant::now();
                bench.observe(observation, Some(plan));
                spent += start.elapsed();
                bench.heal();
            }
            spent
        });
    });
    run(&HEALED, &mut |bench, b| {
        b.iter(|| {
            bench.observe(fresh.clone(), Some(quick()));
            bench.heal();
        });
    });
    let key = IssueKey::new("component1", "fault0");
    run(&EXPLAINED, &mut |bench, b| {
        b.iter(|| black_box(bench.state.explain(&key)));
    });
    run(&SNAPSHOT, &mut |bench, b| {
        b.iter(|| black_box(bench.state.snapshot()));
    });
    run(&TICK, &mut |bench, b| {
        b.iter(|| {
            bench.effects.clear();
            bench.feed(Event::Tick);
        });
    });
    assert_eq!(bench.state.snapshot().open.sum(), OPEN as u64);
    lines
}
