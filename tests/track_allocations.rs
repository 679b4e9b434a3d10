//! A tracker allocates nothing from its start to its end, however it ends.

use selfheal::groups::{
    ApiCall, AuditRun, BridgeCall, Delivery, HealingAction, Incident, InferenceRun, LlmCall,
    PipelineRun, PlaybookRun, StorageOperation, TestRun, TrainingRun, WatchedFile,
};
use selfheal::registry::Registry;

/// The allocations of a hundred calls of `live` once all series exist.
fn allocates(live: impl Fn()) -> u64 {
    // The first calls create the series and the thread's hints.
    (0..3).for_each(|_| live());
    allocation_counter::measure(|| (0..100).for_each(|_| live())).count_total
}

#[test]
fn a_tracker_allocates_nothing_however_it_ends() {
    let registry = Registry::new();
    let llm = || {
        let model = "accounts/fireworks/models/llama-v3p1-405b-instruct";
        LlmCall::start_in(&registry, "fireworks", model, "chat_completion")
    };
    let api = || ApiCall::start_in(&registry, "payments");
    let lives: [(&str, &dyn Fn()); 20] = [
        ("llm success", &|| {
            let call = llm();
            call.first_token();
            call.success(1_200, 350, 0.02);
        }),
        ("llm error", &|| llm().error("timeout")),
        ("llm rate limited", &|| llm().rate_limited()),
        ("llm dropped", &|| drop(llm())),
        ("api success", &|| {
            let call = api();
            call.tokens(3);
            call.success();
        }),
        ("api rate limited", &|| api().rate_limited()),
        ("api dropped", &|| drop(api())),
        ("incident", &|| {
            let incident = Incident::start_in(&registry, "critical");
            incident.escalated("2");
            incident.success();
        }),
        ("playbook", &|| {
            PlaybookRun::start_in(&registry, "restart").success();
        }),
        ("delivery", &|| {
            Delivery::start_in(&registry, "slack").error("timeout");
        }),
        ("storage", &|| {
            StorageOperation::start_in(&registry, "put", "s3").success();
        }),
        ("pipeline", &|| {
            PipelineRun::start_in(&registry, "etl").error("panic");
        }),
        ("inference", &|| {
            InferenceRun::start_in(&registry, "ranker").success();
        }),
        ("training", &|| {
            TrainingRun::start_in(&registry, "ranker").loss(0.25);
        }),
        ("file", &|| WatchedFile::start_in(&registry).error("parse")),
        ("tests", &|| TestRun::start_in(&registry).success()),
        ("audit", &|| {
            AuditRun::start_in(&registry, "manual").coverage(80.0);
        }),
        ("bridge", &|| {
            BridgeCall::start_in(&registry, "fetch").error("timeout");
        }),
        ("action", &|| {
            HealingAction::start_in(&registry, "restart").success();
        }),
        ("beyond the bounds of a label", &|| {
            TestRun::start_in(&registry).record(|metrics, []| metrics.tests.inc(&("odd",)));
        }),
    ];
    for (what, live) in lives {
        assert_eq!(allocates(live), 0, "{what}");
    }
}
