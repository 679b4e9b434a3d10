//! The spans and events of the healing engine.
#![cfg(feature = "tracing")]
#![allow(
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use parking_lot::Mutex;
use selfheal::healing::runtime::LogAlerts;
use selfheal::healing::{
    AlertChange, Confirm, Context, HealError, Healing, Issue, Observation, Risk, Rule, Severity,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down spans as they are made, and events with the spans that they are in.
#[derive(Clone, Default)]
struct Log(Arc<Inner>);

#[derive(Default)]
struct Inner {
    lines: Mutex<Vec<String>>,
    spans: AtomicU64,
    inside: Mutex<Vec<u64>>,
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }

    /// Raw, as some subscribers write it.
    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {}=\"{value}\"", field.name());
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("selfheal") || metadata.target() == "healing_tracing"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = Text(format!("span {}", span.metadata().name()));
        span.record(&mut text);
        self.0.lines.lock().push(text.0);
        Id::from_u64(self.0.spans.fetch_add(1, SeqCst) + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let depth = self.0.inside.lock().len();
        self.0.lines.lock().push(format!("{depth}{}", text.0));
    }

    fn enter(&self, span: &Id) {
        self.0.inside.lock().push(span.into_u64());
    }

    fn exit(&self, _: &Id) {
        self.0.inside.lock().pop();
    }
}

#[tokio::test(start_paused = true)]
async fn each_step_is_reported_and_an_attempt_is_a_span() {
    let log = Log::default();
    let _here = tracing::subscriber::set_default(log.clone());
    let broken = Arc::new(AtomicBool::new(true));
    let (seen, repaired) = (Arc::clone(&broken), Arc::clone(&broken));
    let rule = Rule::when("cache", move |_: Context| {
        let bad = seen.load(SeqCst);
        async move {
            Ok(bad
                .then(|| Observation::new("cache", "corrupt"))
                .into_iter()
                .collect())
        }
    })
    .run("rebuild", move |_: Context, _: Issue| {
        let repaired = Arc::clone(&repaired);
        async move {
            tracing::info!("rebuilding");
            repaired.store(false, SeqCst);
            Ok(())
        }
    })
    .plan(|plan| plan.risk(Risk::Reversible).confirm(Confirm::at_once()));
    let healing = Healing::builder().on_alert(LogAlerts).start().unwrap();
    healing.register(rule).unwrap();
    while healing.snapshot().closed.sum() == 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    healing.shutdown(Duration::from_secs(5)).await;

    let lines = log.0.lines.lock().clone();
    let has = |parts: &[&str]| {
        let found = lines
            .iter()
            .any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(found, "{parts:?} in {lines:#?}");
    };
    has(&["0 ", "issue opened", "key=cache/corrupt", "engine=cache"]);
    has(&[
        "span heal",
        "attempt=1",
        "key=cache/corrupt",
        "action=rebuild",
        "nth=1",
    ]);
    has(&["1 ", "message=rebuilding"]);
    has(&["attempt finished", "action=rebuild", "took="]);
    has(&["verified", "good=true"]);
    has(&["issue closed", "outcome=\"healed\""]);
    assert_eq!(log.0.inside.lock().len(), 0);
}

/// Line breaks, an escape sequence in ASCII and in Latin-1, and what turns text around.
const EVIL: &str = "a\nb\r\u{1b}[31m\u{9b}2J\u{202e}c\u{200b}d";

#[tokio::test(start_paused = true)]
async fn names_and_errors_of_others_are_one_line_without_orders_to_a_terminal() {
    let log = Log::default();
    let _here = tracing::subscriber::set_default(log.clone());
    let looks = AtomicU64::new(0);
    let rule = Rule::when(EVIL, move |_: Context| {
        let fails = looks.fetch_add(1, SeqCst) > 10;
        async move {
            if fails {
                return Err(HealError::retry(EVIL).caused_by(EVIL));
            }
            let seen = Observation::new(EVIL, EVIL).severity(Severity::Critical);
            Ok(vec![seen.evidence(EVIL, EVIL)])
        }
    })
    .run(EVIL, |_: Context, _: Issue| async { panic!("{EVIL}") })
    .then("again", |_: Context, _: Issue| async {
        Err(HealError::retry(EVIL))
    })
    .plan(|plan| plan.risk(Risk::Reversible).confirm(Confirm::at_once()));
    let shown = Arc::new(Mutex::new(Vec::new()));
    let alerts = Arc::clone(&shown);
    let healing = Healing::builder()
        .on_alert(LogAlerts)
        .on_alert(move |change: &AlertChange| alerts.lock().push(change.to_string()))
        .start()
        .unwrap();
    healing.register(rule).unwrap();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    healing.shutdown(Duration::from_secs(5)).await;

    let key = Observation::new(EVIL, EVIL).key;
    let error = HealError::retry(EVIL).caused_by(EVIL);
    shown
        .lock()
        .extend([format!("{key}"), format!("{key:?}"), error.to_string()]);
    let lines = [log.0.lines.lock().clone(), shown.lock().clone()].concat();
    for what in [
        "issue opened",
        "span heal",
        "attempt finished",
        "issue closed",
        "a detector",
        "raised",
    ] {
        let about = |line: &&String| line.contains(what) && line.contains("a\\nb");
        assert!(
            lines.iter().any(|line| about(&line)),
            "{what} in {lines:#?}"
        );
    }
    for line in &lines {
        let quiet = line
            .chars()
            .all(|c| !c.is_control() && !"\u{202e}\u{200b}".contains(c));
        assert!(quiet, "{line:?}");
    }
}
