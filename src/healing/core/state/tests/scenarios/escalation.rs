//! Scenarios of service escalation.

use super::*;
use crate::config::{Budget, Escalation, Mode};
use crate::healing::core::{AlertId, Hold, ServiceEscalation, Target};

fn chain() -> HealingPolicy {
    let mut policy = policy();
    policy.escalation.not_ready_after = Some(60 * SECOND);
    policy.escalation.exit_after = Some(600 * SECOND);
    policy.escalation.exits = Budget::new(2, 3600 * SECOND);
    policy
}

/// A fault that no action heals, and that is not retried without a person.
fn given_up(policy: HealingPolicy) -> Bench {
    let plan = plan().attempts(1).then("failover").attempts(1);
    let plan = plan.risk(Risk::Disruptive).mode(Mode::Run);
    let mut bench = Bench::with(policy, plan);
    bench.detect(vec![critical("db")]);
    bench.end(AttemptResult::Failed);
    bench.end(AttemptResult::Failed);
    let parked = Some((Phase::Parked, Some(ParkReason::Exhausted)));
    assert_eq!(bench.phase("db"), parked);
    bench
}

fn not_ready(bench: &Bench) -> Vec<String> {
    bench.state.not_ready().map(AlertId::to_string).collect()
}

fn exits(bench: &Bench) -> usize {
    let log = bench.log.iter();
    log.filter(|effect| matches!(effect, Effect::Exit(_)))
        .count()
}

#[test]
fn an_alert_is_the_end_of_it_by_default() {
    let mut bench = given_up(policy());
    bench.wait(100_000 * SECOND);
    assert_eq!(bench.alerts(), [AlertKind::Exhausted]);
    assert_eq!(not_ready(&bench), Vec::<String>::new());
    assert_eq!(bench.state.snapshot().escalations.sum(), 0);
    let escalation = bench.explain("db").escalation.unwrap();
    assert_eq!(
        (escalation.reached, escalation.next, escalation.hold),
        (None, None, None)
    );
}

#[test]
fn action_after_action_alert_readiness_exit() {
    let mut bench = given_up(chain());
    let since = bench.now.at;
    assert_eq!(bench.alerts(), [AlertKind::Exhausted]);
    let escalation = bench.explain("db").escalation.unwrap();
    assert_eq!(
        escalation.next,
        Some((ServiceEscalation::NotReady, since + 60 * SECOND))
    );
    bench.wait(Duration::from_nanos(59_999_999_999));
    assert_eq!(not_ready(&bench), Vec::<String>::new());
    bench.wait(Duration::from_nanos(1));
    assert_eq!(not_ready(&bench), ["exhausted db/down"]);
    let explained = bench.explain("db").to_string();
    assert!(
        explained.contains("the service is not ready"),
        "{explained}"
    );
    bench.wait(540 * SECOND);
    assert_eq!(exits(&bench), 1);
    let snapshot = bench.state.snapshot();
    assert_eq!(snapshot.escalations.get(ServiceEscalation::NotReady), 1);
    assert_eq!(snapshot.escalations.get(ServiceEscalation::Exit), 1);
    assert!(snapshot.exit_asked && snapshot.not_ready == 1);
    let recorded = bench.recorded(|what| matches!(what, What::Escalated { .. }));
    assert_eq!(recorded, 2);
    bench.wait(100_000 * SECOND);
    assert_eq!(exits(&bench), 1, "a process is asked once");
}

#[test]
fn the_service_is_ready_again_when_the_fault_is_gone_or_acknowledged() {
    let mut bench = given_up(chain());
    bench.wait(60 * SECOND);
    for _ in 0..2 {
        assert_eq!(not_ready(&bench).len(), 1);
        bench.wait(SECOND);
        bench.detect(vec![]);
    }
    assert_eq!(not_ready(&bench), Vec::<String>::new());
    assert_eq!(
        bench.recorded(|what| matches!(what, What::Deescalated { .. })),
        1
    );
    bench.wait(10_000 * SECOND);
    assert_eq!(exits(&bench), 0);

    let mut bench = given_up(chain());
    bench.wait(60 * SECOND);
    bench.control(Control::Acknowledge { key: key("db") });
    assert_eq!(not_ready(&bench), Vec::<String>::new());
    assert_eq!(bench.running(), ["db"]);
}

#[test]
fn what_is_mild_muted_paused_or_a_dry_run_goes_no_further() {
    let mut mild = chain();
    mild.escalation.severity = Severity::Critical;
    let mut bench = Bench::with(mild, plan().attempts(1));
    bench.detect(vec![down("db")]);
    bench.end(AttemptResult::Failed);
    bench.wait(SECOND);
    bench.detect(vec![down("db")]);
    bench.wait(10_000 * SECOND);
    assert_eq!(not_ready(&bench), Vec::<String>::new());
    bench.detect(vec![critical("db")]);
    assert_eq!(not_ready(&bench).len(), 1, "it got worse");

    let mut bench = given_up(chain());
    let target = Target::Key(key("db"));
    bench.control(Control::Mute {
        target: target.clone(),
        lasting: 1000 * SECOND,
        tolerate: None,
    });
    bench.wait(600 * SECOND);
    assert_eq!(not_ready(&bench), Vec::<String>::new());
    let hold = bench.explain("db").escalation.unwrap().hold;
    assert!(matches!(hold, Some(Hold::Muted { .. })));
    bench.control(Control::Unmute { target });
    assert_eq!((not_ready(&bench).len(), exits(&bench)), (1, 1));

    let mut bench = given_up(chain());
    bench.control(Control::Pause);
    bench.wait(600 * SECOND);
    assert_eq!(
        bench.explain("db").escalation.unwrap().hold,
        Some(Hold::Paused)
    );
    assert_eq!(not_ready(&bench), Vec::<String>::new());
    bench.control(Control::Resume);
    assert_eq!((not_ready(&bench).len(), exits(&bench)), (1, 1));

    let mut dry = chain();
    dry.dry_run = true;
    let mut bench = given_up(chain());
    bench.feed(Event::Reload(Arc::new(dry)));
    bench.wait(600 * SECOND);
    assert_eq!(
        bench.explain("db").escalation.unwrap().hold,
        Some(Hold::DryRun)
    );
}

#[test]
fn a_new_policy_takes_back_what_it_does_not_want() {
    let mut bench = given_up(chain());
    bench.wait(60 * SECOND);
    bench.feed(Event::Reload(Arc::new(policy())));
    assert_eq!(not_ready(&bench), Vec::<String>::new());
    let mut again = chain();
    again.escalation = Escalation {
        exit_after: None,
        ..again.escalation
    };
    bench.feed(Event::Reload(Arc::new(again)));
    assert_eq!(
        not_ready(&bench).len(),
        1,
        "it has given up for long enough"
    );
    bench.wait(10_000 * SECOND);
    assert_eq!(exits(&bench), 0);
}

#[test]
fn the_process_does_not_end_over_and_over_or_without_a_journal() {
    let mut bench = given_up(chain());
    bench.feed(Event::Journal { healthy: false });
    bench.wait(600 * SECOND);
    assert_eq!((not_ready(&bench).len(), exits(&bench)), (1, 0));
    assert_eq!(
        bench.explain("db").escalation.unwrap().hold,
        Some(Hold::Journal)
    );
    bench.feed(Event::Journal { healthy: true });
    assert_eq!(exits(&bench), 1);

    // Each later process has the fault, waits as long, and knows of the earlier exits.
    for process in 2..=3 {
        let log = bench.log.iter();
        let records: Vec<_> = log
            .filter_map(|effect| match effect {
                Effect::Record(record) => Some((**record).clone()),
                _ => None,
            })
            .collect();
        let gone = bench.now.at - Moment::START;
        let policy = Arc::new(chain());
        let (state, effects) = State::restore(
            policy,
            1,
            Stamp::new(Moment::START, bench.now.wall),
            &records,
        );
        bench.state = state;
        bench.log.extend(effects);
        bench.now.at = Moment::START;
        assert_eq!(not_ready(&bench), Vec::<String>::new(), "after {gone:?}");
        bench.feed(Event::EngineAdded {
            engine: Name::new("e"),
            components: Vec::new(),
        });
        bench.wait(SECOND);
        bench.detect(vec![critical("db")]);
        bench.wait(599 * SECOND);
        assert_eq!(exits(&bench), process - 1, "each has its time");
        bench.wait(SECOND);
        assert_eq!(exits(&bench), process.min(2));
    }
    let escalation = bench.explain("db").escalation.unwrap();
    let Some(Hold::Exits { until }) = escalation.hold else {
        panic!("{escalation:?}");
    };
    bench.wait(until - bench.now.at);
    assert_eq!(exits(&bench), 3, "after the window, another one");
}

#[test]
fn hung_attempts_that_stop_everything_are_taken_further() {
    let mut hung = chain();
    hung.max_zombies = 1;
    let mut bench = Bench::new(hung);
    bench.hint(down("db"));
    bench.wait(30 * SECOND);
    bench.wait(5 * SECOND);
    assert_eq!(bench.alerts(), [AlertKind::Zombies]);
    bench.wait(60 * SECOND);
    assert_eq!(not_ready(&bench), ["zombies"]);
    bench.end(AttemptResult::Ok);
    assert_eq!(not_ready(&bench), Vec::<String>::new());
}
