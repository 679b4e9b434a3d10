//! `loom` models of the owner of the state, over all interleavings of its threads with at most two
//! preemptions.
//!
//! Each model is the real [`Owner`](owner::Owner) over the real state, with threads that act as
//! those of the shell do; the driver's is a loop as in `driver`.

use std::sync::Arc as Plain;
use std::time::Duration;

use loom::sync::Arc;
use loom::thread;

use self::owner::Owner;
use crate::config::HealingPolicy;
use crate::healing::core::{
    AttemptResult, By, Closed, Confirm, Control, Effect, Event, IssueKey, Moment, Name,
    Observation, Plan, Risk, Severity, ShortText, Snapshot, Stamp, State, Verdict, identities,
};

mod sync {
    use loom::sync::MutexGuard;

    pub(super) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(super) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(super) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }

    pub(super) struct Kick(loom::sync::Notify);

    impl Kick {
        pub(super) fn new() -> Self {
            Self(loom::sync::Notify::new())
        }

        pub(super) fn notify_one(&self) {
            self.0.notify();
        }

        pub(super) fn wait(&self) {
            self.0.wait();
        }
    }
}

#[allow(dead_code, reason = "each model uses a part of it")]
#[allow(clippy::duplicate_mod, reason = "the same code, over loom's locks")]
#[path = "owner.rs"]
mod owner;

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.max_branches = 10_000;
    builder.check(model);
}

fn now() -> Stamp {
    Stamp::default()
}

fn key() -> IssueKey {
    IssueKey::new("db", "down")
}

fn seen(risk: Risk) -> Event {
    Event::Observed {
        engine: Name::new("e"),
        observation: Observation::new("db", "down")
            .severity(Severity::Critical)
            .samples(30, 30),
        plan: Some(Ok(Plan::first("repair").risk(risk))),
    }
}

fn by_ann(control: Control) -> Event {
    Event::Control {
        control,
        by: By::Person(Name::new("ann")),
    }
}

/// An owner whose engine acts on the first observation, and heals as soon as it is verified.
fn owner() -> Arc<Owner> {
    let policy = HealingPolicy {
        confirm: Confirm::at_once(),
        settle: Duration::ZERO,
        ..HealingPolicy::default()
    };
    let mut state = State::new(Plain::new(policy), 1);
    let components = Vec::new();
    let engine = Name::new("e");
    let outbox = state.step(now(), Event::EngineAdded { engine, components });
    Arc::new(Owner::new(state, outbox))
}

/// A log of the driver.
#[derive(Default)]
struct Log {
    started: u64,
    recorded: u64,
    stopped: bool,
}

/// Carries out effects until the core has stopped: every action returns ok, and every verification
/// is good.
fn drive(owner: &Owner) -> Log {
    let mut log = Log::default();
    let mut batch = Vec::new();
    while !log.stopped {
        owner.take(&mut batch);
        if batch.is_empty() {
            owner.kick.wait();
        }
        for effect in batch.drain(..) {
            let follows = matches!(effect, Effect::Start(_) | Effect::Verify { .. });
            assert!(!(log.stopped && follows), "after the end: {effect:?}");
            let answer = match effect {
                Effect::Start(start) => {
                    log.started += 1;
                    Event::Ended {
                        attempt: start.intent.attempt,
                        result: AttemptResult::Ok,
                        message: ShortText::new(""),
                        hopeless: false,
                    }
                }
                Effect::Verify { ticket, .. } => Event::Judged {
                    ticket,
                    data_from: Moment::START,
                    verdict: Verdict::Good,
                },
                Effect::Record(record) => {
                    log.recorded += 1;
                    assert_eq!(record.seq, log.recorded, "records keep their order");
                    continue;
                }
                Effect::Stopped => {
                    log.stopped = true;
                    continue;
                }
                _ => continue,
            };
            owner.feed(now(), answer);
        }
    }
    log
}

fn scrape(owner: &Owner) -> Snapshot {
    let snapshot = owner.snapshot(now());
    assert_eq!(identities::check(&snapshot), Ok(()));
    snapshot
}

fn ends(owner: &Arc<Owner>, driver: thread::JoinHandle<Log>) -> Snapshot {
    owner.feed(now(), Event::Shutdown);
    let log = driver.join().unwrap();
    let last = scrape(owner);
    assert_eq!(last.open.sum(), 0);
    assert_eq!(
        last.attempts_started, log.started,
        "all that started was begun"
    );
    last
}

#[test]
fn pause_racing_with_start() {
    check(|| {
        let owner = owner();
        let (driving, detecting) = (Arc::clone(&owner), Arc::clone(&owner));
        let driver = thread::spawn(move || drive(&driving));
        let detector = thread::spawn(move || detecting.feed(now(), seen(Risk::Reversible)));
        owner.decide(now(), by_ann(Control::Pause)).unwrap();
        let before = scrape(&owner).attempts_started;
        assert_eq!(
            scrape(&owner).attempts_started,
            before,
            "it started in a pause"
        );
        owner.decide(now(), by_ann(Control::Resume)).unwrap();
        detector.join().unwrap();
        ends(&owner, driver);
    });
}

#[test]
fn snapshots_during_transitions() {
    check(|| {
        let owner = owner();
        let (driving, scraping) = (Arc::clone(&owner), Arc::clone(&owner));
        owner.feed(now(), seen(Risk::Reversible));
        let driver = thread::spawn(move || drive(&driving));
        let scraper = thread::spawn(move || {
            let (one, two) = (scrape(&scraping), scrape(&scraping));
            assert!(one.attempts_started <= two.attempts_started);
            assert!(one.closed.sum() <= two.closed.sum());
        });
        scraper.join().unwrap();
        let last = ends(&owner, driver);
        let (healed, cut) = (Closed::Healed, Closed::Shutdown);
        assert_eq!(last.closed.get(healed) + last.closed.get(cut), 1);
    });
}

#[test]
fn shutdown_racing_with_trigger() {
    check(|| {
        let owner = owner();
        owner.feed(now(), seen(Risk::Destructive));
        let (driving, asking) = (Arc::clone(&owner), Arc::clone(&owner));
        let driver = thread::spawn(move || drive(&driving));
        let person = thread::spawn(move || {
            // Refused if it comes before the question or after the decision.
            let _ = asking.decide(now(), by_ann(Control::Trigger { key: key() }));
            let _ = asking.decide(
                now(),
                by_ann(Control::Approve {
                    key: key(),
                    generation: None,
                }),
            );
        });
        let last = ends(&owner, driver);
        assert!(last.attempts_started <= 1);
        person.join().unwrap();
        let after = scrape(&owner);
        assert_eq!(
            after.attempts_started, last.attempts_started,
            "it started after the end"
        );
        assert_eq!(after.open.sum(), 0);
    });
}
