//! A guard of pipelines: a rule of the healing engine notices one that is stuck and restarts it.
//!
//! `cargo run --example pipeline_guard` prints what it does and its metrics; `-- 127.0.0.1:9898`
//! serves them there afterwards, until it is ended.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use selfheal::config::{Config, Server};
use selfheal::groups::{PipelineHealing, PipelineRun, Recorder, TrainingRun};
use selfheal::healing::{Context, HealError, Issue, Observation, Plan, Risk, Rule};
use selfheal::testing::Reading;

/// Stuck or not.
#[derive(Clone, Default)]
struct Pipeline(Arc<AtomicBool>);

impl Pipeline {
    fn is_stuck(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Gets it going again; timed, and counted however it ends.
    async fn restart(&self) -> Result<(), HealError> {
        let healing = PipelineHealing::start("etl");
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.0.store(false, Ordering::Relaxed);
        println!("  restarted");
        healing.success();
        Ok(())
    }
}

/// When the pipeline is stuck, restart it: this can be taken back, so that it runs at once.
fn guard(pipeline: &Pipeline) -> impl selfheal::healing::HealingEngine {
    let (seen, healed) = (pipeline.clone(), pipeline.clone());
    Rule::when("etl", move |_: Context| {
        let stuck = seen.is_stuck();
        if stuck {
            Recorder::global().pipeline_failure("etl");
        }
        let found = stuck.then(|| Observation::new("etl", "stuck"));
        async move { Ok(found.into_iter().collect::<Vec<_>>()) }
    })
    .run("restart", move |_: Context, _: Issue| {
        let pipeline = healed.clone();
        async move { pipeline.restart().await }
    })
    .plan(|plan: Plan| plan.risk(Risk::Reversible))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let mut config = Config::new().profile("pipeline_guard");
    if let Some(address) = &address {
        config = config.server(Server::new().listen(address.parse()?));
    }
    let heal = selfheal::install(config)?;
    let pipeline = Pipeline::default();
    heal.register(guard(&pipeline))?;

    let training = TrainingRun::start("ranker");
    training.loss(0.21);
    training.success();
    Recorder::global().model("ranker", 0.93, 0.04);

    let run = PipelineRun::start("etl");
    println!("the pipeline gets stuck");
    pipeline.0.store(true, Ordering::Relaxed);
    let mut waited = 0;
    while pipeline.is_stuck() && waited < 600 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        waited += 1;
    }
    println!("  it was stuck for {} ms", waited * 100);
    run.success();

    let reading = Reading::of(&heal).to_string();
    let ours = [
        "pipeline_",
        "active_pipelines",
        "ml_",
        "healing_success",
        "healing_attempts_total",
    ];
    let lines = reading.lines().filter(|line| !line.contains("_bucket"));
    for line in lines.filter(|line| ours.iter().any(|part| line.starts_with(part))) {
        println!("{line}");
    }
    if address.is_some() {
        let listener = heal.listen()?;
        println!("look at http://{}/metrics", listener.address());
        tokio::signal::ctrl_c().await?;
    }
    heal.shutdown().await;
    Ok(())
}
