use crate::registry::{Counter, DeclareError, Family, Gauge, Group, Registry, Text};

/// The metrics of guarded files.
#[derive(Debug)]
pub struct FileMetrics {
    pub(super) paths: Gauge,
    pub(super) events: Family<Counter, [Text; 1]>,
}

impl Group for FileMetrics {
    const NAME: &'static str = "files";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self {
            paths: registry
                .gauge("monitored_paths", "Paths that are guarded")
                .build()?,
            events: registry
                .counter(
                    "file_events_total",
                    "What happened to guarded files, and what was done about it",
                )
                .labels(["event_type"])?,
        })
    }
}
