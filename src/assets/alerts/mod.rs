//! The tables of alerts, one per group.

mod files;
mod healing;
mod http;
mod incidents;
mod kubernetes;
mod llm;
mod models;
mod platform;
mod system;

use super::table::AlertGroup;

/// All groups, in the order of the file.
pub(super) static GROUPS: &[&AlertGroup] = &[
    &platform::PLATFORM,
    &http::HTTP,
    &healing::HEALING,
    &system::SYSTEM,
    &files::FILES,
    &files::RESOURCES,
    &models::MODELS,
    &llm::LLM,
    &incidents::INCIDENTS,
    &kubernetes::KUBERNETES,
];
