//! The state of alerts across a restart, by the journal.

use super::*;
use crate::healing::runtime::DetectionResult;

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

/// Two processes, one after the other, with the same rules, and errors in between.
struct Restarted {
    folder: tempfile::TempDir,
    rules: String,
    clock: (crate::util::Clock, crate::util::ManualClock),
    began: tokio::time::Instant,
}

/// Stops the errors when it is dropped.
struct Failing(tokio::task::JoinHandle<()>);

impl Drop for Failing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Restarted {
    fn new(rules: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            rules: format!("groups: [{{name: g, interval: 5s, rules: [{rules}]}}]"),
            clock: crate::util::Clock::manual(),
            began: tokio::time::Instant::now(),
        }
    }

    /// A process that counts an error a second.
    fn start(&self) -> (Selfheal, crate::Rules, Failing) {
        let path = self.folder.path().join("alerts.yml");
        std::fs::write(&path, &self.rules).unwrap();
        self.clock.1.advance(self.began.elapsed());
        let heal = process(self.folder.path(), &self.clock.0);
        let errors = heal.registry().counter("errors_total", "").build().unwrap();
        let failing = tokio::spawn(async move {
            loop {
                errors.inc();
                seconds(1).await;
            }
        });
        let rules = heal.rules(&path).install().unwrap();
        (heal, rules, Failing(failing))
    }

    /// Runs a first process until its alert has an issue, and starts the next one.
    async fn after_an_issue(
        &self,
        on: impl Fn(&crate::Rules),
    ) -> (Selfheal, crate::Rules, Failing) {
        let (heal, rules, failing) = self.start();
        on(&rules);
        seconds(6 * 60).await;
        assert!(is_open(&heal), "after the range of the rule");
        drop(failing);
        assert!(heal.shutdown().await);
        drop((heal, rules));
        let next = self.start();
        on(&next.1);
        next
    }
}

fn is_open(heal: &Selfheal) -> bool {
    let open = heal.healing().unwrap().issues();
    open.iter()
        .any(|one| one.issue.key.issue_type.as_str() == "High")
}

/// An action for all alerts that match.
fn repair(rules: &crate::Rules, alerts: &str) {
    let on = rules
        .on(alerts)
        .run("repair", |_: Context, _: Issue| async { Ok(()) });
    on.install().unwrap();
}

fn failed_runs(heal: &Selfheal) -> u64 {
    let all = heal.healing().unwrap().detections();
    let failed = all
        .iter()
        .filter(|(_, result, _)| *result == DetectionResult::Failed);
    failed.map(|(.., count)| count).sum()
}

/// Its rule yields nothing for the first minutes, since the new history is shorter than its range.
const HIGH: &str = "{alert: High, expr: 'rate(errors_total[5m]) > 0.5', labels: {severity: page}}";

/// The state of the alert at each minute until its rule can be judged.
async fn stays_open(heal: &Selfheal) {
    for minute in 0..5 {
        seconds(58).await;
        let closed = heal.healing().unwrap().snapshot().closed;
        assert_eq!(closed.get(Closed::SelfResolved), 0, "in minute {minute}");
        assert!(is_open(heal), "in minute {minute}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_issue_that_is_open_stays_open_until_its_rule_can_be_judged() {
    let test = Restarted::new(HIGH);
    let (heal, _rules, failing) = test.after_an_issue(|rules| repair(rules, "High")).await;
    stays_open(&heal).await;
    assert_eq!(failed_runs(&heal), 0, "waiting is no failure");
    seconds(2 * 60).await;
    assert!(is_open(&heal), "it is still there");
    // Now it is gone.
    drop(failing);
    seconds(15 * 60).await;
    assert!(!is_open(&heal));
}

/// Another alert of the same engine shows nothing about it.
#[tokio::test(start_paused = true)]
async fn an_issue_stays_open_while_another_alert_of_its_engine_fires() {
    let other = "{alert: Other, expr: vector(1), labels: {severity: page}}";
    let test = Restarted::new(&format!("{HIGH}, {other}"));
    let on = |rules: &crate::Rules| repair(rules, "{severity=\"page\"}");
    let (heal, rules, _failing) = test.after_an_issue(on).await;
    stays_open(&heal).await;
    let fires = |name| {
        rules
            .alerts()
            .iter()
            .any(|one| one.labels.get("alertname") == Some(name))
    };
    assert!(fires("Other"));
}

#[tokio::test(start_paused = true)]
async fn an_issue_that_is_only_reported_stays_open_until_its_rule_can_be_judged() {
    // At a shorter interval it is above the limit only after the first minutes.
    let rule = HIGH.replace(
        "rate(errors_total[5m]) > 0.5",
        "increase(errors_total[5m]) > 250",
    );
    let test = Restarted::new(&rule);
    let (heal, _rules, failing) = test.after_an_issue(|_| {}).await;
    stays_open(&heal).await;
    drop(failing);
    seconds(15 * 60).await;
    assert!(!is_open(&heal));
}

#[tokio::test(start_paused = true)]
async fn why_nothing_is_done_yet_is_explained() {
    let why = "the history does not cover the 5 min of High yet";
    let test = Restarted::new(HIGH);
    let (heal, rules, failing) = test.start();
    repair(&rules, "High");
    seconds(4 * 60).await;
    // It fires, and there is no issue yet.
    let note = |heal: &Selfheal| {
        let report = heal.report();
        let [note] = &*report.open else {
            panic!("{:?}", report.open);
        };
        (note.text.clone(), note.detail.clone())
    };
    let detail = format!("not known now: it fires, but {why}");
    assert_eq!(note(&heal), ("High".to_owned(), detail));
    drop(failing);
    assert!(heal.shutdown().await);
    drop((heal, rules));
    // There is an issue of before the restart.
    let test = Restarted::new(HIGH);
    let (heal, _rules, _failing) = test.after_an_issue(|rules| repair(rules, "High")).await;
    seconds(20).await;
    let (_, detail) = note(&heal);
    assert_eq!(detail, format!("confirming. Not known now: {why}"));
    seconds(6 * 60).await;
    let (_, detail) = note(&heal);
    assert!(!detail.contains("ot known"), "{detail}");
}
