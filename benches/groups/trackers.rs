//! The life of a tracker of each kind, from its start to its end, in series that are there.

use std::time::Instant;

use criterion::Criterion;
use selfheal::groups::{
    ApiCall, AuditRun, BridgeCall, Delivery, HealingAction, Incident, InferenceRun, LlmCall,
    PipelineHealing, PipelineRun, PlaybookRun, StorageOperation, TestRun, TrainingRun, WatchedFile,
};
use selfheal::registry::Registry;
use selfheal_benches::{Line, asked_only, fastest};

use crate::TMPDIR;

/// A kind of tracker, how many metrics its life moves, and such a life.
type Life = (&'static str, u32, fn(&Registry));

const LIVES: [Life; 15] = [
    ("an inference", 1, |registry| {
        InferenceRun::start_in(registry, "ranker").success();
    }),
    ("a healing action", 2, |registry| {
        HealingAction::start_in(registry, "restart").success();
    }),
    ("a training run", 2, |registry| {
        TrainingRun::start_in(registry, "ranker").success();
    }),
    ("a watched file", 2, |registry| {
        WatchedFile::start_in(registry).success();
    }),
    ("a run of tests", 2, |registry| {
        TestRun::start_in(registry).success();
    }),
    ("an operation on storage", 2, |registry| {
        StorageOperation::start_in(registry, "put", "s3").success();
    }),
    ("a delivery", 2, |registry| {
        Delivery::start_in(registry, "slack").success();
    }),
    ("a healing of a pipeline", 2, |registry| {
        PipelineHealing::start_in(registry, "etl").success();
    }),
    ("a run of a pipeline, failed", 3, |registry| {
        PipelineRun::start_in(registry, "etl").error("schema");
    }),
    ("a call to another service", 3, |registry| {
        ApiCall::start_in(registry, "github").success();
    }),
    ("an incident", 4, |registry| {
        Incident::start_in(registry, "critical").success();
    }),
    ("a playbook", 4, |registry| {
        PlaybookRun::start_in(registry, "restart").success();
    }),
    ("a call over the bridge", 4, |registry| {
        BridgeCall::start_in(registry, "fetch").success();
    }),
    ("a run of the audit agent", 5, |registry| {
        AuditRun::start_in(registry, "manual").success();
    }),
    ("a call to a language model", 5, |registry| {
        LlmCall::start_in(registry, "openai", "gpt-4", "chat").success(1_200, 350, 0.02);
    }),
];

const GROUP: &str = "a tracker's life";

/// Lives the kind that `--only NAME [TIMES]` asks for alone, for a profiler to watch; says whether
/// one was asked for.
pub(crate) fn only() -> bool {
    let asked = asked_only();
    let life = asked.and_then(|(name, times)| {
        let life = LIVES.iter().find(|(known, ..)| *known == name)?;
        Some((life.2, times))
    });
    if let Some((live, times)) = life {
        let registry = Registry::new();
        (0..times).for_each(|_| live(&registry));
    }
    life.is_some()
}

pub(crate) fn lines(criterion: &mut Criterion, wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    let mut lines = Vec::new();
    if !wanted(GROUP) {
        return lines;
    }
    let mut group = criterion.benchmark_group(GROUP);
    for (name, records, live) in LIVES {
        let registry = Registry::new();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                let start = Instant::now();
                (0..times).for_each(|_| live(&registry));
                start.elapsed()
            });
        });
        let measured = allocation_counter::measure(|| (0..1_000).for_each(|_| live(&registry)));
        let allocations = measured.count_total as f64 / 1_000.0;
        let cells = fastest(TMPDIR, GROUP, name).map(|ns| ("selfheal", ns));
        let work = format!("{name}: {records} records, {allocations} allocations");
        let line = Line::new(work, "ns", cells).target("≤ 150, 0 allocations");
        lines.push(line.limit("two readings of the clock"));
    }
    lines.push(clock(&mut group));
    group.finish();
    lines
}

/// The time of the two clock readings of each life.
fn clock(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>) -> Line {
    const NAME: &str = "two readings of the clock";
    group.bench_function(NAME, |bencher| {
        bencher.iter(|| std::hint::black_box(Instant::now()).elapsed());
    });
    let cells = fastest(TMPDIR, GROUP, NAME).map(|ns| ("the system's clock", ns));
    Line::new(NAME, "ns", cells)
}
