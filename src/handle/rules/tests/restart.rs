//! The state of alerts across a restart, by the journal.

use super::*;

/// A process with the same folder, and a clock set by hand.
fn process(folder: &std::path::Path, clock: &crate::util::Clock) -> Selfheal {
    let mut config = Config::new();
    config.journal.path = Some(folder.join("journal"));
    Selfheal::with_clock(config, clock.clone()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_was_pending_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.yml");
    let rule =
        "groups: [{name: g, interval: 5s, rules: [{alert: Full, expr: full > 0, for: 20m}]}]";
    std::fs::write(&path, rule).unwrap();
    let (clock, hands) = crate::util::Clock::manual();
    let began = tokio::time::Instant::now();
    let declare = |heal: &Selfheal| heal.registry().gauge("full", "").build().unwrap();
    // 8 of 20 minutes have elapsed when the process ends.
    let heal = process(folder.path(), &clock);
    declare(&heal).set(1);
    let rules = heal.rules(&path).install().unwrap();
    seconds(8 * 60).await;
    assert_eq!(rules.alerts()[0].state, AlertState::Pending);
    assert!(heal.shutdown().await);
    drop((rules, heal));
    // It is down for 5 minutes.
    seconds(5 * 60).await;
    hands.advance(began.elapsed());
    let heal = process(folder.path(), &clock);
    declare(&heal).set(1);
    let rules = heal.rules(&path).install().unwrap();
    seconds(11 * 60).await;
    assert_eq!(rules.alerts()[0].state, AlertState::Pending, "8 + 11 of 20");
    seconds(2 * 60).await;
    assert_eq!(rules.alerts()[0].state, AlertState::Firing);
    assert!(heal.shutdown().await);
    drop((rules, heal));
    // One that has fired fires again at once.
    seconds(60).await;
    let so_far = began.elapsed();
    hands.advance(so_far.saturating_sub(std::time::Duration::from_secs(13 * 60)));
    let heal = process(folder.path(), &clock);
    declare(&heal).set(1);
    let rules = heal.rules(&path).install().unwrap();
    seconds(20).await;
    assert_eq!(rules.alerts()[0].state, AlertState::Firing);
}

/// Its rule yields nothing at first, since the new history is shorter than its range.
#[tokio::test(start_paused = true)]
async fn an_issue_that_is_open_stays_open_until_its_rule_can_be_judged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.yml");
    let rule = "groups: [{name: g, interval: 5s, rules: [{alert: High, expr: 'rate(errors_total[5m]) > 0.5'}]}]";
    std::fs::write(&path, rule).unwrap();
    let (clock, hands) = crate::util::Clock::manual();
    let began = tokio::time::Instant::now();
    let start = || {
        let heal = process(folder.path(), &clock);
        let errors = heal.registry().counter("errors_total", "").build().unwrap();
        let failing = tokio::spawn(async move {
            loop {
                errors.inc();
                seconds(1).await;
            }
        });
        let rules = heal.rules(&path).install().unwrap();
        let on = rules
            .on("High")
            .run("repair", |_: Context, _: Issue| async { Ok(()) });
        on.install().unwrap();
        (heal, rules, failing)
    };
    let (heal, rules, failing) = start();
    seconds(6 * 60).await;
    let open = |heal: &Selfheal| heal.healing().unwrap().issues();
    assert_eq!(open(&heal).len(), 1, "after the range of the rule");
    failing.abort();
    assert!(heal.shutdown().await);
    drop((heal, rules));
    hands.advance(began.elapsed());
    let (heal, _rules, failing) = start();
    for minute in 0..7 {
        seconds(60).await;
        let closed = heal.healing().unwrap().snapshot().closed;
        assert_eq!(closed.get(Closed::SelfResolved), 0, "in minute {minute}");
        assert_eq!(open(&heal).len(), 1, "in minute {minute}");
    }
    // Now it can be judged.
    failing.abort();
    seconds(15 * 60).await;
    assert_eq!(open(&heal).len(), 0);
}
