//! One short file for each kind of work, without logic.

mod api;
mod llm;

pub use api::{ApiCall, ApiMetrics};
pub use llm::{LlmCall, LlmMetrics};
