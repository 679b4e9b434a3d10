//! An incident manager: incidents are opened, triaged by a language model, escalated, and resolved
//! by playbooks, with the names of the profile `llm_incident_manager`.
//!
//! `cargo run --example llm_incidents` prints what it does and its metrics;
//! `-- 127.0.0.1:9898` serves them there afterwards, until it is ended.

use std::error::Error;
use std::time::Duration;

use selfheal::config::{Config, Server};
use selfheal::groups::{Delivery, Incident, LlmCall, Playbook, Recorder, StorageOperation};
use selfheal::track::TrackFuture;

#[derive(Debug, thiserror::Error)]
#[error("the model gave no answer in time")]
struct NoAnswer;

/// Asks a model what to do; this one answers every second time.
async fn triage(attempt: u32) -> Result<&'static str, NoAnswer> {
    let call = LlmCall::start("openai", "gpt-4", "triage");
    tokio::time::sleep(Duration::from_millis(20)).await;
    if attempt.is_multiple_of(2) {
        call.error("timeout");
        return Err(NoAnswer);
    }
    call.first_token();
    tokio::time::sleep(Duration::from_millis(10)).await;
    call.success(900, 120, 0.016);
    Ok("restart-pool")
}

async fn restart_pool() -> Result<(), NoAnswer> {
    tokio::time::sleep(Duration::from_millis(5)).await;
    Ok(())
}

/// An incident from its first report to its end. However this function is left, it is recorded.
async fn handle(severity: &str) -> Result<(), NoAnswer> {
    let recorder = Recorder::global();
    let incident = Incident::start(severity);
    println!("a {severity} incident is open");
    let put = StorageOperation::start("put", "incidents");
    put.size(4_096);
    put.success();
    for attempt in 0..3 {
        let Ok(playbook) = triage(attempt).await else {
            println!("  no answer from the model, the on-call is notified");
            incident.escalated("on-call");
            recorder.error("triage", "timeout");
            Delivery::start("pager").success();
            continue;
        };
        println!("  the model wants the playbook {playbook}");
        restart_pool().tracked(Playbook::new(playbook)).await?;
        incident.deduplicated(); // a second report came in meanwhile
        incident.success();
        println!("  resolved");
        return Ok(());
    }
    incident.error("unresolved");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let mut config = Config::new().profile("llm_incident_manager");
    if let Some(address) = &address {
        config = config.server(Server::new().listen(address.parse()?));
    }
    let heal = selfheal::install(config)?;

    tokio::try_join!(handle("critical"), handle("warning"))?;
    // A caller that gives up: its call is recorded as abandoned.
    let impatient = tokio::time::timeout(Duration::from_millis(1), triage(1)).await;
    println!("given up early: {}", impatient.is_err());

    let reading = selfheal::testing::Reading::of(&heal).to_string();
    let lines = reading.lines().filter(|line| !line.contains("_bucket"));
    let ours = ["_llm_", "_incident", "_playbook", "_notification"];
    for line in lines.filter(|line| ours.iter().any(|part| line.contains(part))) {
        println!("{line}");
    }
    if address.is_some() {
        let listener = heal.listen()?;
        println!("look at http://{}/metrics", listener.address());
        tokio::signal::ctrl_c().await?;
    }
    Ok(())
}
