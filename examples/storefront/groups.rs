//! The other metrics of a larger service: every metric of the catalogue, so that each dashboard
//! has something to show.

use std::time::Duration;

use selfheal::Selfheal;
use selfheal::catalog::{Allowed, Kind, MetricDef};
use selfheal::groups::{
    ApiCall, AuditRun, BridgeCall, Delivery, HealingAction, Incident, InferenceRun, LlmCall,
    PipelineHealing, PipelineRun, PlaybookRun, Recorder, StorageOperation, TestRun,
    TestWatcherMetrics, TrainingRun, WatchedFile,
};
use selfheal::registry::{DeclareError, Declared, Registry};
use selfheal::track::Outcome;
use tokio::task::JoinHandle;
use tokio::time::interval;

/// The time between two rounds.
const EVERY: Duration = Duration::from_millis(100);

/// One round in so many goes wrong.
const BAD: u64 = 20;

/// A metric, and label values for some series of it.
type Rest = Vec<(Declared, Vec<Vec<String>>)>;

/// Declares all metrics, and records a round after the other until it is aborted.
pub(crate) fn start(heal: &Selfheal) -> Result<JoinHandle<()>, DeclareError> {
    let rest = rest(heal)?;
    Ok(tokio::spawn(run(heal.clone(), rest)))
}

async fn run(heal: Selfheal, rest: Rest) {
    let mut tick = interval(EVERY);
    // Work that is in progress all the time.
    let _incident = Incident::start_in(heal.registry(), "warning");
    let _pipeline = PipelineRun::start_in(heal.registry(), "etl");
    for round in 0.. {
        tick.tick().await;
        by_trackers(heal.registry(), round);
        for (metric, rows) in &rest {
            let value = match metric.def().kind {
                Kind::Histogram => 0.03,
                _ => 1.0,
            };
            for row in rows {
                let labels: Vec<&str> = row.iter().map(String::as_str).collect();
                metric.record(&labels, value);
            }
        }
    }
}

/// The groups of the crate, as their trackers record them.
fn by_trackers(registry: &Registry, round: u64) {
    let recorder = Recorder::of(registry);
    let is_bad = round.is_multiple_of(BAD);
    macro_rules! live {
        ($($Tracker:ident($($label:literal),*))+) => {$(
            let tracker = $Tracker::start_in(registry, $($label),*);
            if is_bad { tracker.error("timeout") } else { tracker.success() }
        )+};
    }
    live!(
        ApiCall("payments") Incident("critical") PlaybookRun("restart") Delivery("slack")
        StorageOperation("put", "s3") PipelineRun("etl") PipelineHealing("etl")
        InferenceRun("ranker") TrainingRun("ranker") WatchedFile() TestRun() AuditRun("manual")
        BridgeCall("fetch") HealingAction("restart")
    );
    let priced = ApiCall::start_in(registry, "payments");
    priced.tokens(12);
    priced.success();
    let took = Duration::from_millis(20 + round % 7 * 10);
    let call = LlmCall::start_in(registry, "openai", "gpt-4", "chat");
    call.first_token();
    if is_bad {
        call.rate_limited();
        recorder.api_rate_limit("payments");
        recorder.anomaly("latency", "warning");
        recorder.error("checkout", "timeout");
        recorder.escalation("2");
        recorder.deduplication();
        recorder.correlation();
        drop(TestRun::start_in(registry));
    } else {
        call.success(1_200, 350, 0.002);
        recorder.api_call("payments", took, Outcome::Success);
    }
    if let Some(watcher) = recorder.group::<TestWatcherMetrics>() {
        watcher.running.set(1);
        watcher.changed.set(2);
        watcher.memory.set(8_000_000);
        watcher.debounce.observe_duration(took);
        watcher.api_calls.inc(&("ci", Outcome::Success.status()));
    }
    let audit = AuditRun::start_in(registry, "scheduled");
    audit.found(1, 1);
    audit.coverage(82.5);
    audit.record(|audit, _| audit.analysis.observe(&(), took.as_secs_f64()));
    audit.success();
    let training = TrainingRun::start_in(registry, "ranker");
    training.loss(0.2);
    training.success();
    recorder.storage_size("s3", 4_000_000_000);
    recorder.notification_queue("slack", 3);
    recorder.bridge_loops(1);
    // Between 0.92 and 0.96.
    let accuracy = 0.94 + 0.02 * (round as f64 / 60.0).sin();
    recorder.model("ranker", accuracy, 0.04);
}

/// Declares what neither a tracker nor the shop records, with label values for some series of each.
fn rest(heal: &Selfheal) -> Result<Rest, DeclareError> {
    by_trackers(heal.registry(), 0);
    let known = heal.registry().catalog();
    let mut rest = Vec::new();
    for def in selfheal::catalogue()? {
        let can_be = [Kind::Counter, Kind::Gauge, Kind::Histogram].contains(&def.kind);
        if can_be && !known.iter().any(|of| of.name == def.name) {
            let rows = rows(&def);
            rest.push((heal.registry().declare(def)?, rows));
        }
    }
    Ok(rest)
}

/// Label values, so that each value of a closed set is there.
fn rows(def: &MetricDef) -> Vec<Vec<String>> {
    let values = |label: &str| -> Vec<String> {
        let plain = match (label, def.allowed.get(label)) {
            (_, Some(Allowed::These(values))) => {
                return values.iter().map(ToString::to_string).collect();
            }
            ("status", _) if def.name.starts_with("grpc") => ["OK", "INTERNAL"],
            ("status", _) => ["200", "500"],
            ("severity", _) => ["critical", "warning"],
            _ => ["a", "b"],
        };
        plain.map(str::to_owned).to_vec()
    };
    let columns: Vec<Vec<String>> = def.labels.iter().map(|label| values(label)).collect();
    let most = columns.iter().map(Vec::len).max().unwrap_or(1);
    let row = |at: usize| {
        let cells = columns
            .iter()
            .map(|column| column[at % column.len()].clone());
        cells.collect()
    };
    (0..most).map(row).collect()
}
