//! What the healing engine tells `tracing`.
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
use selfheal::healing::{Confirm, Context, Healing, Issue, LogAlerts, Observation, Risk, Rule};
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
async fn each_step_is_told_and_an_attempt_is_a_span() {
    let log = Log::default();
    let _here = tracing::subscriber::set_default(log.clone());
    let broken = Arc::new(AtomicBool::new(true));
    let (seen, mended) = (Arc::clone(&broken), Arc::clone(&broken));
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
        let mended = Arc::clone(&mended);
        async move {
            tracing::info!("rebuilding");
            mended.store(false, SeqCst);
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
    has(&["looked again", "good=true"]);
    has(&["issue closed", "outcome=\"healed\""]);
    assert_eq!(log.0.inside.lock().len(), 0);
}
