use super::snapshot::FamilySnapshot;
use crate::catalog::MetricDef;

/// A source of series that are computed when somebody looks: a snapshot of a state machine,
/// figures of the operating system, another metrics library.
///
/// One call of [`collect`](Collector::collect) is one consistent moment. A collector that
/// panics is skipped for that scrape and counted; it cannot fail the scrape.
pub trait Collector: Send + Sync + 'static {
    /// Says what this collector may yield, for the catalogue. Called once, when it is registered.
    fn describe(&self) -> Vec<MetricDef>;

    /// Appends what there is now. Called on the thread that scrapes; it must not block.
    fn collect(&self, out: &mut Vec<FamilySnapshot>);
}
