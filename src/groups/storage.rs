use crate::track::Outcome;

crate::group! {
    /// The metrics of storage.
    pub struct StorageMetrics: "storage" {
        /// Operations on storage, by how they ended
        pub operations: Counter = "storage_operations_total" ["operation", "backend", "status"]
            .at_most("operation", 50) .at_most("backend", 50) .only("status", &Outcome::STATUSES);
        /// Time an operation on storage took
        pub duration: Histogram = "storage_operation_duration_seconds" ["operation", "backend"]
            .at_most("operation", 50) .at_most("backend", 50);
        /// Bytes that a storage holds
        pub size: Gauge = "storage_size_bytes" ["backend"] .at_most("backend", 50);
    }
}

crate::tracker! {
    /// A storage operation: counted by outcome and timed.
    pub struct StorageOperation: Storage(operation, backend) in StorageMetrics {
        ended(metrics, outcome, took) {
            metrics.operations.inc(&(operation, backend, outcome.status()));
            metrics.duration.observe(&(operation, backend), took.as_secs_f64());
        }
    }
}

impl StorageOperation {
    /// Sets the current size of the storage, in bytes.
    pub fn size(&self, bytes: i64) {
        self.record(|metrics, [_, backend]| metrics.size.set(&(backend,), bytes));
    }
}
