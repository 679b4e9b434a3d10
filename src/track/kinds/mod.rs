//! One short file for each kind of work, without logic.

mod llm;

pub use llm::{LlmCall, LlmMetrics};
