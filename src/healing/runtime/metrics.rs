//! What the shell itself counts: how often each engine looked.

use std::sync::{Arc, Weak};

use super::engines::PassResult;
use super::shell::Shell;
use crate::catalog::{Kind, MetricDef};
use crate::healing::{Name, expose};
use crate::registry::{
    Collector, DeclareError, FamilySnapshot, Number, Registry, SeriesSnapshot, Value,
};

impl Shell {
    /// Each engine, each result, and how often.
    pub(super) fn passes(&self) -> Vec<(Name, PassResult, u64)> {
        let slots = self.engines.read().all();
        let mut all: Vec<_> = slots
            .iter()
            .flat_map(|slot| {
                PassResult::ALL.map(|result| (slot.name.clone(), result, slot.passes.get(result)))
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0).then((a.1 as usize).cmp(&(b.1 as usize))));
        all
    }
}

/// Puts the numbers of the core and of the shell on the page of a registry.
pub(super) fn register(shell: &Arc<Shell>, registry: &Registry) -> Result<(), DeclareError> {
    let core = Arc::clone(shell);
    expose(registry, move || core.snapshot())?;
    registry.collect_from(Arc::new(Detections(Arc::downgrade(shell))))
}

struct Detections(Weak<Shell>);

impl Detections {
    fn def() -> MetricDef {
        let mut def = MetricDef::new(
            Kind::Counter,
            "healing_detections_total",
            "Times an engine looked for faults, by what came of it",
        )
        .with_labels(["engine", "result"]);
        def.group = "healing";
        def
    }
}

impl Collector for Detections {
    fn describe(&self) -> Vec<MetricDef> {
        vec![Self::def()]
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        let Some(shell) = self.0.upgrade() else {
            return;
        };
        let series = shell.passes().into_iter().map(|(engine, result, count)| {
            let labels = [("engine", engine.as_str()), ("result", result.as_str())];
            SeriesSnapshot::new(labels, Value::Number(Number::U64(count)))
        });
        out.push(FamilySnapshot {
            def: Arc::new(Self::def()),
            series: series.collect(),
        });
    }
}
