//! The engine as a service runs it: what it costs when there is nothing to do, and how long others
//! wait when there is very much.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use selfheal::config::HealingPolicy;
use selfheal::healing::{By, Context, HealError, Healing, Issue, IssueKey, Observation, Rule};
use selfheal::registry::Registry;
use selfheal_benches::{Line, processor_time};

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// As many engines as a service of some size has.
const ENGINES: usize = 10;

pub(crate) fn lines(wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    let mut lines = Vec::new();
    if wanted("idle engine") {
        lines.extend(idle());
    }
    if wanted("observe from one thread") {
        lines.push(observe());
    }
    if wanted("a detector that finds a million") {
        lines.extend(a_million());
    }
    lines
}

fn line(work: &str, unit: &'static str, figure: f64) -> Line {
    Line::new(work, unit, [("selfheal", figure)])
}

async fn nothing(_: Context, _: Issue) -> Result<(), HealError> {
    Ok(())
}

fn quiet(n: usize) -> Rule {
    Rule::when(format!("engine{n}"), |_: Context| async { Ok(Vec::new()) }).run("act", nothing)
}

/// One engine with the default policy and ten rules that find nothing, for ten seconds.
fn idle() -> Vec<Line> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut share = 0.0;
    // Everything runs on this thread, so that its allocator counts all of it.
    let heap = allocation_counter::measure(|| {
        let healing = runtime.block_on(async {
            let registry = Registry::new();
            let healing = Healing::builder().registry(&registry).start().unwrap();
            for n in 0..ENGINES {
                healing.register(quiet(n)).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            let (before, began) = (processor_time(), Instant::now());
            tokio::time::sleep(TEN_SECONDS).await;
            let spent = processor_time().saturating_sub(before);
            share = spent.as_secs_f64() / began.elapsed().as_secs_f64();
            (healing, registry)
        });
        black_box(&healing);
        std::mem::forget(healing);
    });
    let bytes = heap.bytes_current as f64;
    vec![
        line(
            "idle engine, ten rules: processor",
            "% of a core",
            share * 100.0,
        )
        .target("0.1 %")
        .limit("one look of each rule in ten seconds"),
        line("idle engine, ten rules: heap", "kB", bytes / 1e3).target("1,000 kB"),
    ]
}

/// Observations of one key, by the handle of a rule, as fast as one thread can.
fn observe() -> Line {
    const MANY: u32 = 1_000_000;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut policy = HealingPolicy::default();
    policy.dry_run = true;
    let builder = Healing::builder().policy(policy);
    let healing = builder.runtime(runtime.handle().clone()).start().unwrap();
    let handle = healing.register(quiet(0)).unwrap();
    let seen = Observation::new("db", "down");
    let began = Instant::now();
    for _ in 0..MANY {
        handle.observe(seen.clone());
    }
    let each = began.elapsed().as_nanos() as f64 / f64::from(MANY);
    runtime.block_on(healing.shutdown(TEN_SECONDS));
    line("observe from one thread, through the engine", "ns", each)
        .target("1,000 ns: a million a second")
        .limit("one lock and one reading of the clock")
}

/// How long whoever asks or decides something waits at the longest, while a detector finds a
/// million keys again and again.
fn a_million() -> Vec<Line> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let registry = Registry::new();
    let mut policy = HealingPolicy::default();
    policy.detect_every = Duration::from_millis(100);
    let builder = Healing::builder().policy(policy).registry(&registry);
    let healing = builder.runtime(runtime.handle().clone()).start().unwrap();
    let found: Arc<Vec<_>> = Arc::new(
        (0..1_000_000)
            .map(|n| Observation::new(format!("c{n}"), "down"))
            .collect(),
    );
    let over = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&over);
    let rule = Rule::when("wild", move |_: Context| {
        let found = if ends.load(SeqCst) {
            Vec::new()
        } else {
            found.to_vec()
        };
        async move { Ok(found) }
    });
    healing.register(rule.run("act", nothing)).unwrap();
    let (key, ann) = (IssueKey::new("c1", "down"), By::Person("ann".into()));
    let (mut asked, mut scraped) = (Vec::new(), Vec::new());
    let began = Instant::now();
    while began.elapsed() < TEN_SECONDS {
        let start = Instant::now();
        black_box(healing.issue(&key));
        let _ = healing.pause(ann.clone());
        asked.push(start.elapsed());
        let start = Instant::now();
        black_box(healing.snapshot());
        scraped.push(start.elapsed());
        std::thread::sleep(Duration::from_micros(100));
    }
    over.store(true, SeqCst);
    let reported = healing.snapshot().observations.total as f64 / began.elapsed().as_secs_f64();
    runtime.block_on(healing.shutdown(TEN_SECONDS));
    asked.sort_unstable();
    scraped.sort_unstable();
    // One in a thousand waits for a processor, whoever holds a lock.
    let most = |waits: &[Duration]| waits[waits.len() * 999 / 1_000].as_secs_f64() * 1e6;
    let longest = |waits: &[Duration]| waits[waits.len() - 1].as_secs_f64() * 1e6;
    vec![
        line(
            "a detector that finds a million keys: counted",
            "a second",
            reported,
        ),
        line(
            "a detector that finds a million keys: a question and a decision, 99.9 % of them",
            "µs",
            most(&asked),
        )
        .limit("1,024 observations in one step"),
        line(
            "a detector that finds a million keys: a snapshot, 99.9 % of them",
            "µs",
            most(&scraped),
        ),
        line(
            "a detector that finds a million keys: the longest wait of all",
            "µs",
            longest(&asked).max(longest(&scraped)),
        )
        .limit("a turn on one of two processors, for which three threads ask"),
    ]
}
