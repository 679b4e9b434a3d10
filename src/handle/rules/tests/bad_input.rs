//! Bad conditions for rules: clocks and memory.

use super::*;
use crate::util::Clock;

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_a_day_moves_no_alert() {
    let (clock, hands) = Clock::manual();
    let heal = Selfheal::with_clock(Config::new(), clock.clone()).unwrap();
    let full = heal.registry().gauge("full", "").build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.yml");
    let rule =
        "groups: [{name: g, interval: 1s, rules: [{alert: Full, expr: full > 0, for: 30s}]}]";
    std::fs::write(&path, rule).unwrap();
    let rules = heal.rules(&path).install().unwrap();
    full.set(1);
    let day = Duration::from_secs(86_400);
    for jump in [clock.wall() + day, clock.wall() - day] {
        seconds(10).await;
        let before = rules.alerts()[0].clone();
        assert_eq!(before.state, AlertState::Pending);
        hands.set_wall(jump);
        seconds(10).await;
        let after = rules.alerts()[0].clone();
        assert_eq!(
            (after.state, after.active_at),
            (AlertState::Pending, before.active_at)
        );
        full.set(0);
        seconds(3).await;
        assert!(rules.alerts().is_empty(), "{:?}", rules.alerts());
        full.set(1);
    }
    seconds(35).await;
    assert_eq!(rules.alerts()[0].state, AlertState::Firing);
    // Clients use the wall clock, whatever it was set to.
    let QueryResult::Vector(found) = heal.query("full").await.unwrap().result else {
        panic!("a vector")
    };
    assert_eq!(found.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_full_memory_drops_the_oldest_and_says_so() {
    let mut config = Config::new();
    config.metrics.max_series_per_family = 3_000;
    config.history.max_bytes = 1_000_000;
    let heal = Selfheal::new(config).unwrap();
    let noise: Family<crate::registry::FloatGauge, [Text; 1]> = heal
        .registry()
        .float_gauge("noise", "")
        .labels(["n"])
        .unwrap();
    let registry = heal.registry().clone();
    heal.query("1").await.unwrap();
    // Random bits take the most memory: 1 MB is full after some 50 samples of 2,000 series.
    let mut state = 1_u64;
    for _ in 0..120 {
        for n in 0..2_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let value = f64::from_bits(0x3FF0_0000_0000_0000 | (state >> 12));
            noise.set(&[&*n.to_string()], value);
        }
        seconds(15).await;
    }
    let page = registry.scrape();
    let value = |name: &str| {
        let family = page.families().iter().find(|family| family.name() == name);
        let mut value = 0.0;
        family.unwrap().each(&mut |_, sample| {
            if let crate::registry::ValueRef::Number(number) = sample.value {
                value = number.as_f64();
            }
        });
        value
    };
    assert!(value("selfheal_history_evicted_total") > 10_000.0);
    assert!(value("selfheal_history_bytes") <= 1_000_000.0);
    assert!(value("selfheal_history_series") >= 2_000.0);
    let newest = heal.query("count(noise)").await.unwrap();
    let QueryResult::Vector(found) = newest.result else {
        panic!("a vector")
    };
    assert_eq!(found[0].value.as_float(), Some(2_000.0), "the newest stay");
}
