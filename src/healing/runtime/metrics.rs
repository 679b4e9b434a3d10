//! Metrics of the runtime: detection runs of each engine, and changes that receivers missed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use super::expose;
use super::shell::Shell;
use super::slots::DetectionResult;
use crate::catalog::{Allowed, Kind, MetricDef};
use crate::healing::core::Name;
use crate::registry::{
    Collector, DeclareError, FamilySnapshot, Number, Registry, SeriesSnapshot, Value,
};

impl Shell {
    /// The number of detection runs by engine and result.
    pub(super) fn detections(&self) -> Vec<(Name, DetectionResult, u64)> {
        let slots = self.engines.read().all();
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
        registry.collect_from(Arc::new(OfTheShell(Arc::clone(&page))))?;
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
    expose::defs().chain(OfTheShell::defs()).collect()
}

struct OfTheShell(Arc<Page>);

impl OfTheShell {
    fn defs() -> [MetricDef; 2] {
        [Self::detections(), Self::missed()]
    }

    fn missed() -> MetricDef {
        let mut def = MetricDef::new(
            Kind::Counter,
            "healing_alert_changes_missed_total",
            "Alert changes that hooks missed because they were too slow",
        );
        def.group = "healing";
        def
    }

    fn detections() -> MetricDef {
        let mut def = MetricDef::new(
            Kind::Counter,
            "healing_detections_total",
            "Detection runs of each engine, by result",
        )
        .with_labels(["engine", "result"])
        .allow(
            "result",
            Allowed::these(DetectionResult::ALL.map(DetectionResult::as_str)),
        );
        def.group = "healing";
        def
    }
}

impl Collector for OfTheShell {
    fn describe(&self) -> Vec<MetricDef> {
        OfTheShell::defs().into()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let shell = self.0.shell();
        let series = shell
            .detections()
            .into_iter()
            .map(|(engine, result, count)| {
                let labels = [("engine", engine.as_str()), ("result", result.as_str())];
                SeriesSnapshot::new(labels, Value::Number(Number::U64(count)))
            });
        out.push(FamilySnapshot {
            def: Arc::new(Self::detections()),
            series: series.collect(),
        });
        let missed = Number::U64(shell.alerts_missed.load(Ordering::Relaxed));
        out.push(FamilySnapshot {
            def: Arc::new(Self::missed()),
            series: vec![SeriesSnapshot::new([], Value::Number(missed))],
        });
    }
}
