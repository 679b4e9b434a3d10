use crate::catalog::Alias;
use crate::config::LUMINOUS_NIX;
use crate::registry::{Counter, DeclareError, Family, Gauge, Group, Registry};

/// The metrics of guarded files.
#[derive(Debug)]
pub struct FileMetrics {
    pub(super) paths: Gauge,
    pub(super) unwatched: Gauge,
    pub(super) events: Family<Counter, (FileEvent,)>,
}

impl FileMetrics {
    /// Number of guarded paths.
    #[must_use]
    pub fn guarded(&self) -> i64 {
        self.paths.get()
    }

    /// Number of guarded paths without a working watch, where a change is only found by the
    /// periodic check.
    #[must_use]
    pub fn unwatched(&self) -> i64 {
        self.unwatched.get()
    }
}

impl Group for FileMetrics {
    const NAME: &'static str = "files";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self {
            paths: registry
                .gauge("monitored_paths", "Guarded paths")
                .alias(Alias::new(LUMINOUS_NIX, "monitored_paths_total"))
                .build()?,
            unwatched: registry
                .gauge(
                    "files_unwatched_paths",
                    "Guarded paths without a watch, which are only checked periodically",
                )
                .build()?,
            events: registry
                .counter(
                    "file_events_total",
                    "Events of guarded files: faults, repairs and changes",
                )
                .labels(["event_type"])?
                // So that rate() sees the first corruption.
                .start_at_zero(),
        })
    }
}

crate::label_values! {
    /// Events of a guarded file: the values of `event_type`.
    pub(super) enum FileEvent {
        Created = "created",
        Modified = "modified",
        Removed = "removed",
        Renamed = "renamed",
        Corrupted = "corrupted",
        Restored = "restored",
    }
}
