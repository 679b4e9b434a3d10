//! Registry access for bridges to other metrics libraries.

use super::Registry;
use super::collector::Collecting;
use super::owners::LeftOut;
use super::scrape_family::exposed_name;
use crate::catalog::MetricDef;

impl Registry {
    /// Makes this thread count as collecting for this registry until the guard is dropped;
    /// see [`Registry::is_collecting`].
    pub(crate) fn enter_collecting(&self) -> impl Drop {
        Collecting::enter(self.id())
    }

    /// Counts and names a metric that a bridge leaves out because it clashes with `owner`.
    pub(crate) fn left_out(&self, metric: String, owner: String) {
        self.leave_out(&[LeftOut { metric, owner }]);
    }

    /// A number that no other live registry has.
    pub(crate) fn identity(&self) -> usize {
        self.id()
    }

    /// The names under which this registry's own metrics are currently exposed, with their
    /// definitions.
    pub(crate) fn own_names(&self) -> Vec<(String, MetricDef)> {
        let settings = self.settings();
        let mut defs: Vec<MetricDef> = self
            .inner
            .collectors
            .read()
            .iter()
            .filter(|registered| !registered.foreign)
            .flat_map(|registered| registered.defs.iter().cloned())
            .collect();
        let families = self.inner.families.read();
        defs.extend(
            families
                .values()
                .map(|entry| (**entry.family.def()).clone()),
        );
        defs.into_iter()
            .map(|def| (exposed_name(&settings, &def), def))
            .collect()
    }
}
