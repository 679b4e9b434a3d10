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
