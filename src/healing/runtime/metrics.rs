//! Metrics of the runtime: detection runs of each engine, and changes that receivers missed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use super::expose;
use super::shell::Shell;
use super::slots::DetectionResult;
use crate::catalog::{Allowed, Kind, MetricDef};
use crate::healing::core::Name;
use crate::registry::{DeclareError, Figures, Number, Registry, SeriesSnapshot};

impl Shell {
    /// The number of detection runs by engine and result.
    pub(super) fn detections(&self) -> Vec<(Name, DetectionResult, u64)> {
        let slots = self.slots();
        let mut all: Vec<_> = slots
            .iter()
            .flat_map(|slot| {
                DetectionResult::ALL
                    .map(|result| (slot.name.clone(), result, slot.detections.get(result)))
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0).then((a.1 as usize).cmp(&(b.1 as usize))));
        all
    }
}

/// The healing engine whose metrics a registry exposes.
pub(super) struct Page(Mutex<Arc<Shell>>);

impl Page {
    /// Exposes the metrics of the core and of the runtime in a registry.
    pub(super) fn new(shell: &Arc<Shell>, registry: &Registry) -> Result<Arc<Self>, DeclareError> {
        let page = Arc::new(Self(Mutex::new(Arc::clone(shell))));
        let core = Arc::clone(&page);
        expose::expose(registry, move || core.shell().snapshot())?;
        let shell = Arc::clone(&page);
        registry.collect_figures(figures(), move || Some(shell.shell()))?;
        Ok(page)
    }

    /// Exposes another engine from now on, whose counters start at zero.
    pub(super) fn turn_to(&self, shell: &Arc<Shell>) {
        let before = std::mem::replace(&mut *self.0.lock(), Arc::clone(shell));
        drop(before);
    }

    fn shell(&self) -> Arc<Shell> {
        Arc::clone(&self.0.lock())
    }
}

/// Every metric of the core and of its runtime.
pub(crate) fn catalogue() -> Vec<MetricDef> {
    let mut defs = expose::figures().describe();
    defs.extend(figures().describe());
    defs
}

fn figures() -> Figures<Arc<Shell>> {
    let results = DetectionResult::ALL.map(DetectionResult::as_str);
    let detections = MetricDef::new(
        Kind::Counter,
        "healing_detections_total",
        "Detection runs of each engine, by result",
    );
    let detections = detections
        .with_labels(["engine", "result"])
        .allow("result", Allowed::these(results));
    Figures::<Arc<Shell>>::new(expose::GROUP)
        .metric(detections, |shell| {
            let all = shell.detections().into_iter();
            let series = all.map(|(engine, result, count)| {
                let labels = [("engine", engine.as_str()), ("result", result.as_str())];
                SeriesSnapshot::new(labels, Number::U64(count))
            });
            series.collect()
        })
        .counter(
            "healing_alert_changes_missed_total",
            "Alert changes that hooks missed because they were too slow",
            |shell| Number::U64(shell.alerts_missed.load(Ordering::Relaxed)),
        )
}
