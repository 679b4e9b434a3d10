//! Metrics of the service's async runtime.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::runtime::{Handle, RuntimeMetrics};

use crate::registry::Number::{F64, U64};
use crate::registry::{DeclareError, Figures, Group, Number, Registry};

/// Exposes metrics of a tokio runtime: workers, live tasks, tasks in the global queue, how often
/// workers parked and how long they were busy, summed over all workers.
///
/// They are read at scrape time through tokio's stable metrics, a few atomics for each worker. One
/// runtime per registry: calling it again switches to the new one, and the counters start at zero.
///
/// # Errors
/// One of the names is already declared elsewhere.
pub fn runtime(registry: &Registry, handle: &Handle) -> Result<(), DeclareError> {
    let Runtime(metrics) = &*super::once::<Runtime>(registry)?;
    *metrics.lock() = Some(handle.metrics());
    Ok(())
}

/// Declares the metrics without a runtime.
pub(crate) fn declare(registry: &Registry) -> Result<(), DeclareError> {
    super::once::<Runtime>(registry).map(drop)
}

struct Runtime(Arc<Mutex<Option<RuntimeMetrics>>>);

impl Group for Runtime {
    const NAME: &'static str = "tokio";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        let metrics = Arc::new(Mutex::new(None::<RuntimeMetrics>));
        let latest = Arc::clone(&metrics);
        registry.collect_figures(figures(), move || latest.lock().clone())?;
        Ok(Self(metrics))
    }
}

fn figures() -> Figures<RuntimeMetrics> {
    Figures::<RuntimeMetrics>::new(Runtime::NAME)
        .gauge("tokio_workers", "Worker threads of the runtime", |tokio| {
            size(tokio.num_workers())
        })
        .gauge(
            "tokio_alive_tasks",
            "Tasks that have been spawned and not ended",
            |tokio| size(tokio.num_alive_tasks()),
        )
        .gauge(
            "tokio_global_queue_depth",
            "Tasks that wait in the queue that all workers share",
            |tokio| size(tokio.global_queue_depth()),
        )
        .counter(
            "tokio_worker_parks_total",
            "How often a worker went to sleep, over all workers",
            |tokio| {
                let parks = workers(tokio).map(|worker| tokio.worker_park_count(worker));
                U64(parks.fold(0, u64::wrapping_add))
            },
        )
        .counter(
            "tokio_worker_busy_seconds_total",
            "How long workers were busy, over all workers",
            |tokio| {
                let busy = workers(tokio).map(|worker| tokio.worker_total_busy_duration(worker));
                F64(busy.map(|busy| busy.as_secs_f64()).sum())
            },
        )
}

fn workers(tokio: &RuntimeMetrics) -> std::ops::Range<usize> {
    0..tokio.num_workers()
}

fn size(n: usize) -> Number {
    U64(n as u64)
}
