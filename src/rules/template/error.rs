//! The errors of templates.

/// The error of an invalid template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rules) struct TemplateError {
    /// The byte offset in the text.
    pub(in crate::rules) at: usize,
    pub(in crate::rules) problem: String,
    pub(in crate::rules) hint: String,
}

impl TemplateError {
    pub(super) fn new(at: usize, problem: impl Into<String>, hint: impl Into<String>) -> Self {
        let (problem, hint) = (problem.into(), hint.into());
        Self { at, problem, hint }
    }
}

/// The error of evaluating a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in crate::rules) struct RenderError(String);

impl RenderError {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}
