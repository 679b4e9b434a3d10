//! A runtime that follows a history, and checks every step.

use std::sync::Arc;
use std::time::Duration;

use super::ops::{COMPONENTS, Op, Seen, Wish, engine, key, policies};
use super::watch::Watch;
use crate::config::{HealingPolicy, Limits};
use crate::healing::core::{
    AttemptId, AttemptResult, By, Control, Effect, Event, Generation, Moment, Name, Record,
    ShortText, Stamp, State, Target, Ticket, Unknown, Verdict, Wall,
};
use crate::util::Uptime;

/// The policies that a history switches between.
pub(super) type Policies = [Arc<HealingPolicy>; 5];

/// A runtime that answers when the history says so.
#[derive(Debug, Clone)]
pub(super) struct Driver {
    pub(super) state: State,
    pub(super) watch: Watch,
    pub(super) now: Stamp,
    pub(super) policies: Policies,
    pub(super) records: Vec<Record>,
    pub(super) wake: Moment,
    elapsed: Duration,
    /// How far the wall clock lags, in milliseconds.
    behind: u64,
    attempts: Vec<AttemptId>,
    ended: Vec<AttemptId>,
    checks: Vec<Ticket>,
    pub(super) most: Limits,
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
            self.feed(Event::EngineAdded {
                engine: engine(n),
                components: (0..COMPONENTS)
                    .map(|n| Name::new(&format!("c{n}")))
                    .collect(),
            });
        }
    }

    /// Kills the process, and starts a new one from its journal.
    fn restart(&mut self, down: Duration) {
        self.pass_time(down);
        let gone = self.now.at - Moment::START;
        self.now.at = Moment::START;
        self.set_wall();
        let policy = Arc::clone(&self.state.policy);
        let now = self.first_stamp();
        let (state, effects) = State::restore(policy, self.state.seed, now, &self.records);
        self.state = state;
        self.watch.restarted(gone, &effects);
        self.attempts.clear();
        self.ended.clear();
        self.checks.clear();
        self.wake = Moment::NEVER;
        self.take(&effects);
        self.state.audit();
        self.add_engines();
    }

    /// The stamp with the machine's uptime, which is that of the test.
    pub(super) fn first_stamp(&self) -> Stamp {
        let up = Uptime::new(1, self.elapsed);
        self.now.with_uptime(Some(up))
    }

    /// Sets the wall clock back by a day, or forward again.
    fn set_wall(&mut self) {
        const DAY: u64 = 86_400_000;
        self.behind = DAY - self.behind;
        self.pass_time(Duration::ZERO);
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
            behind: 0,
            attempts: Vec::new(),
            ended: Vec::new(),
            checks: Vec::new(),
            most: Limits::default(),
        }
    }

    /// Passes an event to the core, and checks the step.
    pub(super) fn feed(&mut self, event: Event) -> Vec<Effect> {
        self.watch.observe(self.now.at, &event, &self.state);
        let effects = self.state.step(self.now, event);
        self.watch.answered(&effects, &self.state);
        self.take(&effects);
        self.state.audit();
        effects
    }

    pub(super) fn take(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Record(record) => self.records.push((**record).clone()),
                Effect::Start(start) => self.attempts.push(start.intent.attempt),
                Effect::Verify { ticket, .. } => self.checks.push(*ticket),
                Effect::WakeAt(at) => self.wake = *at,
                _ => {}
            }
        }
    }

    pub(super) fn pass_time(&mut self, by: Duration) {
        self.now.at = self.now.at + by;
        self.elapsed += by;
        let millis = u64::try_from(self.elapsed.as_millis()).unwrap();
        self.now.wall = Wall::from_millis(1_600_000_000_000 + millis - self.behind);
    }

    pub(super) fn run(&mut self, op: &Op) {
        match op {
            Op::Wait(by) => {
                self.pass_time(*by);
                self.feed(Event::Tick);
            }
            Op::Sleep => {
                if self.wake != Moment::NEVER {
                    self.pass_time(self.wake - self.now.at);
                }
                self.feed(Event::Tick);
            }
            Op::Hint(seen) => {
                let (observation, plan) = seen.offered();
                self.feed(Event::Observed {
                    engine: engine(seen.engine),
                    observation,
                    plan,
                });
            }
            Op::Run {
                engine: n,
                age,
                seen,
                left_out,
                unknown,
            } => {
                self.feed(Event::Detected {
                    engine: engine(*n),
                    began: self.now.at.back(*age),
                    observations: seen.iter().map(Seen::offered).collect(),
                    left_out: left_out.then(|| (key(*n), 3)),
                    unknown: not_known(unknown, self.now),
                });
            }
            Op::PassFails(n) => {
                self.feed(Event::DetectFailed {
                    engine: engine(*n),
                    began: self.now.at,
                });
            }
            Op::End(n, result) => self.end(*n, *result),
            Op::EndAgain(n) => {
                if let Some(&attempt) = pick(&self.ended, *n) {
                    self.feed(ended(attempt, AttemptResult::Ok));
                }
            }
            Op::Judge(n, verdict, age) => self.judge(*n, *verdict, *age),
            Op::Control(wish) => self.wish(wish),
            Op::Journal(healthy) => {
                self.feed(Event::Journal { healthy: *healthy });
            }
            Op::Reload(n) => {
                let policy = Arc::clone(&self.policies[usize::from(n % 5)]);
                self.feed(Event::Reload(policy));
            }
            Op::Engine(n, true) => {
                self.feed(Event::EngineAdded {
                    engine: engine(*n),
                    components: Vec::new(),
                });
            }
            Op::Engine(n, false) => {
                self.feed(Event::EngineRemoved { engine: engine(*n) });
            }
            Op::Depends(a, b) => {
                self.feed(Event::DependsOn {
                    component: Name::new(&format!("c{a}")),
                    parent: Name::new(&format!("c{b}")),
                });
            }
            Op::Shutdown => {
                self.feed(Event::Shutdown);
            }
            Op::Rotate => self.records = self.state.carry(self.first_stamp()),
            Op::Restart(down) => self.restart(*down),
        }
    }

    pub(super) fn end(&mut self, n: usize, result: AttemptResult) {
        if let Some(attempt) = take(&mut self.attempts, n) {
            self.ended.push(attempt);
            self.feed(ended(attempt, result));
        }
    }

    pub(super) fn judge(&mut self, n: usize, verdict: Verdict, age: Duration) {
        if let Some(ticket) = take(&mut self.checks, n) {
            self.feed(Event::Judged {
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
        self.feed(Event::Control {
            control,
            by: By::Person(Name::new("ann")),
        });
    }

    /// Whether every request is answered.
    pub(super) fn is_answered(&self) -> bool {
        self.attempts.is_empty() && self.checks.is_empty()
    }
}

/// What a detection run could not determine.
fn not_known(keys: &[u8], now: Stamp) -> Unknown {
    let mut unknown = Unknown::default();
    for n in keys {
        unknown.add(key(*n), "no answer", now);
    }
    unknown
}

fn ended(attempt: AttemptId, result: AttemptResult) -> Event {
    Event::Ended {
        attempt,
        result,
        message: ShortText::new("x"),
        hopeless: attempt.0.is_multiple_of(5),
    }
}

fn pick<T>(list: &[T], n: usize) -> Option<&T> {
    list.get(n.checked_rem(list.len())?)
}

fn take<T>(list: &mut Vec<T>, n: usize) -> Option<T> {
    let place = n.checked_rem(list.len())?;
    Some(list.remove(place))
}
