use std::time::Duration;

use crate::registry::Group;

/// The outcome of a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It was reported as successful.
    Success,
    /// It failed; the error type is one of a small set of values. A panic is of type `panic`.
    Error(&'a str),
    /// The tracker was dropped without an outcome.
    Abandoned,
}

impl<'a> Outcome<'a> {
    /// All values of a `status` label.
    pub const STATUSES: [&'static str; 3] = ["success", "error", "abandoned"];

    /// The type of an unknown error.
    pub const ERROR: &'static str = "error";

    /// The error type, if it is an error.
    #[must_use]
    pub fn error_type(self) -> Option<&'a str> {
        match self {
            Self::Error(error_type) => Some(error_type),
            Self::Success | Self::Abandoned => None,
        }
    }

    /// The value of a `status` label: `success`, `error` or `abandoned`.
    #[must_use]
    pub fn status(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error(_) => "error",
            Self::Abandoned => "abandoned",
        }
    }
}

/// A kind of work that a [`Tracker`](super::Tracker) can follow: the identity of a piece of work,
/// its metrics, and how they change when it ends.
///
/// ```
/// use std::time::Duration;
/// use selfheal::registry::{DeclareError, Family, Group, Histogram, Registry, Text};
/// use selfheal::track::{Outcome, Tracker, TrackerKind};
///
/// struct Jobs { duration: Family<Histogram, [Text; 2]> }
///
/// impl Group for Jobs {
///     const NAME: &'static str = "jobs";
///     fn declare(registry: &Registry) -> Result<Self, DeclareError> {
///         let duration = registry
///             .histogram("job_duration_seconds", "Time a job took")
///             .labels(["queue", "status"])?;
///         Ok(Self { duration })
///     }
/// }
///
/// struct Job { queue: &'static str }
///
/// impl TrackerKind for Job {
///     type Metrics = Jobs;
///     fn record(&self, jobs: &Jobs, outcome: Outcome<'_>, took: Duration) {
///         jobs.duration.observe(&[self.queue, outcome.status()], took.as_secs_f64());
///     }
/// }
///
/// let registry = Registry::new();
/// let job = Tracker::start_in(&registry, Job { queue: "mail" });
/// job.success();
/// ```
pub trait TrackerKind: Send + 'static {
    /// The metrics, declared on first use.
    type Metrics: Group;

    /// Called when the work starts. Default: nothing.
    fn started(&self, metrics: &Self::Metrics) {
        let _ = metrics;
    }

    /// Called once when the work has ended, possibly while a panic unwinds: it must not panic.
    fn record(&self, metrics: &Self::Metrics, outcome: Outcome<'_>, took: Duration);
}
