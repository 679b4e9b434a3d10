//! The life of a tracker, from its start to its end, in series that are there.

use selfheal::groups::{ApiCall, HealingAction, InferenceRun, LlmCall, PlaybookRun};
use selfheal::registry::Registry;

use crate::work::{Run, counting};

fn lives(live: impl Fn(&Registry) + 'static) -> Run {
    let registry = Registry::new();
    counting(move || live(&registry))
}

pub(crate) fn inference() -> Run {
    lives(|registry| InferenceRun::start_in(registry, "ranker").success())
}

pub(crate) fn action() -> Run {
    lives(|registry| HealingAction::start_in(registry, "restart").success())
}

pub(crate) fn playbook() -> Run {
    lives(|registry| PlaybookRun::start_in(registry, "restart").success())
}

pub(crate) fn api() -> Run {
    lives(|registry| ApiCall::start_in(registry, "github").success())
}

pub(crate) fn llm() -> Run {
    lives(|registry| {
        LlmCall::start_in(registry, "openai", "gpt-4", "completion").success(1_200, 350, 0.02);
    })
}
