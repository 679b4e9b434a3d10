//! The start times of alerts across a restart.

use super::alerts::{Bench, series};

/// The seconds from the restart until an alert of `for: 20m` fires again, which was active for
/// `pending` seconds before the outage.
fn fires_after(hold: &str, pending: i64, outage: i64) -> Option<i64> {
    let rules = format!("  rules: [{{alert: Down, expr: bad == 1, for: {hold}}}]");
    let bad = || vec![series("bad", &[("shop", "a")], 0, &[1.0; 2_000])];
    let mut bench = Bench::new(&rules, bad());
    for second in (0..=pending).step_by(10) {
        bench.at(second);
    }
    let kept = bench.evaluator.for_state(pending * 1_000).unwrap();
    let text = serde_json::to_string(&kept).unwrap();
    let mut again = Bench::new(&rules, bad());
    again
        .evaluator
        .restore(serde_json::from_str(&text).unwrap());
    let start = pending + outage;
    (0..3_000).step_by(10).find(|second| {
        let changes = again.at(start + second);
        changes
            .iter()
            .any(|change| change.starts_with("pending>firing"))
    })
}

#[test]
fn a_pending_alert_goes_on_after_a_restart_as_prometheus_has_it() {
    // Evaluated twice, then restored: it fires at the third evaluation.
    assert_eq!(fires_after("20m", 1_300, 100), Some(20), "it fired before");
    // 15 min were left; the time pending before the outage counts.
    assert_eq!(fires_after("20m", 300, 120), Some(910));
    // 5 min were left: 10 min of grace from the second evaluation on.
    assert_eq!(fires_after("20m", 900, 120), Some(610));
    assert_eq!(fires_after("20m", 900, 3_500), Some(610));
    assert_eq!(fires_after("20m", 900, 3_700), Some(1_200), "too long away");
    assert_eq!(
        fires_after("5m", 280, 60),
        Some(300),
        "a short one starts again"
    );
}

#[test]
fn what_is_not_restored_yet_is_not_in_its_series() {
    let rules = "  rules: [{alert: Down, expr: bad == 1, for: 20m}]";
    let bad = || vec![series("bad", &[("shop", "a")], 0, &[1.0; 2_000])];
    let mut bench = Bench::new(rules, bad());
    bench.at(0);
    assert_eq!(
        bench.query("ALERTS_FOR_STATE", 0).len(),
        1,
        "nothing is to be restored"
    );
    let kept = bench.evaluator.for_state(300_000).unwrap();
    let mut again = Bench::new(rules, bad());
    again.evaluator.restore(kept);
    for (second, there) in [(400, 0), (410, 0), (420, 1)] {
        again.at(second);
        assert_eq!(
            again.query("ALERTS_FOR_STATE", second).len(),
            there,
            "{second}"
        );
        assert_eq!(again.query("ALERTS", second).len(), 1);
        assert_eq!(
            again.evaluator.for_state(second * 1_000).is_some(),
            second >= 410
        );
    }
}
