//! Reading of values only, as a history does every few seconds.

use std::sync::Arc;

use super::Registry;
use super::family::AnyFamily;
use super::scrape_family::exposed_name;
use super::series_id::SeriesId;
use super::snapshot::{Scratch, ValueRef};
use crate::catalog::MetricDef;

impl Registry {
    /// Calls `visit` with the id and the value of every series recorded here, family by family.
    /// [`identify`](Registry::identify) maps ids to series.
    ///
    /// This is much cheaper than a [`scrape`](Registry::scrape): no label is written, no collector
    /// is called, and exemplars and created times are not read. The functions of a
    /// [`GaugeFn`](super::GaugeFn) do run. No lock is held while `visit` runs, which may record and
    /// declare.
    ///
    /// ```
    /// use selfheal::registry::{DeclareError, Number, Registry, ValueRef};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let registry = Registry::new();
    /// registry.counter("jobs_total", "Jobs done").build()?.add(3);
    /// let mut sum = 0.0;
    /// registry.sample(|_id, value| {
    ///     if let ValueRef::Number(number) = value {
    ///         sum += number.as_f64();
    ///     }
    /// });
    /// assert_eq!(sum, 3.0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn sample(&self, mut visit: impl FnMut(SeriesId, ValueRef<'_>)) {
        let mut scratch = Scratch::default();
        for family in self.own_families() {
            family.sample(&mut scratch, &mut visit);
        }
    }

    /// Calls `visit` with the id of every series recorded here, the exposed name of its metric, its
    /// declaration, and its rendered labels, without global ones. Values are not read. The order is
    /// that of [`sample`](Registry::sample).
    pub fn identify(&self, mut visit: impl FnMut(SeriesId, &str, &Arc<MetricDef>, &str)) {
        let settings = self.settings();
        for family in self.own_families() {
            let def = family.def();
            let name = exposed_name(&settings, def);
            family.identify(&name, &mut |id, labels| visit(id, &name, def, labels));
        }
    }

    /// A copy of the list, so that no lock is held during iteration.
    pub(super) fn own_families(&self) -> Vec<Arc<dyn AnyFamily>> {
        let families = self.inner.families.read();
        families
            .values()
            .map(|entry| Arc::clone(&entry.family))
            .collect()
    }
}

#[cfg(test)]
mod tests;
