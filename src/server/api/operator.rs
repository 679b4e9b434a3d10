use serde::Deserialize;

/// Operator queries and commands: the implementation of `/api/explain/…`, `/api/history` and
/// `/api/control/…`.
///
/// [`Selfheal`](crate::Selfheal) provides one. Each method is called on a worker of the endpoints,
/// so it must not block; texts are JSON.
pub trait Operator: Send + Sync + 'static {
    /// The state of the open issue of a key, its next step and what holds it back; `None` if no
    /// issue is open.
    fn explain(&self, component: &str, issue_type: &str) -> Option<String>;

    /// The newest records in memory, oldest first, at most `most`; only those of `component` if
    /// given.
    fn history(&self, component: Option<&str>, most: usize) -> Vec<String>;

    /// The verbs of [`control`](Self::control).
    fn verbs(&self) -> &[&str];

    /// Executes a command at once, completely or not at all. `by` is its author.
    ///
    /// # Errors
    /// Nothing is done: the command has a fault, or is refused in the current state.
    fn control(&self, verb: &str, details: &Details, by: &str) -> Result<(), NotDone>;
}

/// The body of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Details {
    /// The key of an issue, `component/issue_type`; empty for a verb without one.
    pub key: String,
    /// A time, in minutes.
    pub minutes: Option<u32>,
    /// A log filter.
    pub filter: Option<String>,
}

/// Why a command was not executed, and how to proceed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotDone {
    /// The command has a fault.
    Fault(String),
    /// It is refused in the current state.
    Refused(String),
}
