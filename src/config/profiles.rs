//! Profiles: the metric names that an existing system expects, selected by one word.

use super::faults::Faults;
use super::suggest;

/// A profile: its name and the namespace and groups it selects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) word: &'static str,
    /// The namespace of its metrics; empty for none.
    pub(crate) namespace: &'static str,
    /// The metric groups it uses.
    pub(crate) groups: &'static [&'static str],
}

pub(crate) const LUMINOUS_NIX: &str = "luminous_nix";
pub(crate) const PLATFORM: &str = "self_healing_platform";
pub(crate) const PIPELINE_GUARD: &str = "pipeline_guard";
pub(crate) const AUTOMATION: &str = "automation_platform";
pub(crate) const INCIDENT_MANAGER: &str = "llm_incident_manager";

/// All profiles.
static KNOWN: [Known; 5] = [
    Known {
        word: LUMINOUS_NIX,
        namespace: LUMINOUS_NIX,
        groups: &["healing", "files", "health", "service", "system"],
    },
    Known {
        word: PLATFORM,
        namespace: "",
        groups: &[
            "actions", "healing", "health", "http", "models", "platform", "service", "system",
        ],
    },
    Known {
        word: PIPELINE_GUARD,
        namespace: "",
        groups: &[
            "actions",
            "errors",
            "healing",
            "health",
            "http",
            "models",
            "pipelines",
            "service",
            "system",
        ],
    },
    Known {
        word: AUTOMATION,
        namespace: "",
        groups: &[
            "api",
            "async_bridge",
            "audit_agent",
            "service",
            "system",
            "test_watcher",
        ],
    },
    Known {
        word: INCIDENT_MANAGER,
        namespace: INCIDENT_MANAGER,
        groups: &[
            "errors",
            "grpc",
            "http",
            "incidents",
            "llm",
            "notifications",
            "playbooks",
            "service",
            "storage",
        ],
    },
];

/// The names of all profiles.
pub const PROFILES: [&str; 5] = [
    LUMINOUS_NIX,
    PLATFORM,
    PIPELINE_GUARD,
    AUTOMATION,
    INCIDENT_MANAGER,
];

/// Finds the profile of this name.
pub(super) fn find(word: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|profile| profile.word == word)
}

pub(super) fn check(words: &[String], faults: &mut Faults) {
    for (at, word) in words.iter().enumerate() {
        let shown = suggest::quote(word);
        if find(word).is_none() {
            let hint = suggest::hint(word, &PROFILES, "the profiles are");
            faults.add("profiles", format!("{shown} is not a profile"), hint);
        } else if words[..at].contains(word) {
            faults.add("profiles", format!("{shown} occurs twice"), "leave one out");
        }
    }
}
