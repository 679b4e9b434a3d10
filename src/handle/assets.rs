use std::collections::BTreeMap;
use std::path::Path;

use super::{Selfheal, catalogue};
use crate::assets::{AssetsError, Stack, Written};
use crate::catalog::MetricDef;
use crate::registry::Registry;

#[cfg_attr(docsrs, doc(cfg(feature = "assets")))]
impl Selfheal {
    /// Generates the monitoring stack: rules, dashboards and deployment files for every metric that
    /// this crate and the application have declared so far, with the names, labels, buckets and
    /// objectives of the configuration. Writes no file.
    ///
    /// # Errors
    /// Settings from which nothing can be generated; all faults are listed.
    pub fn assets(&self) -> Result<Stack, AssetsError> {
        let registry = &Registry::with_settings((*self.registry().settings()).clone());
        catalogue::declare(registry)?;
        let mut all: BTreeMap<String, MetricDef> = BTreeMap::new();
        let own = self.registry().exposed_catalog().into_iter();
        for (name, def) in own.chain(registry.exposed_catalog()) {
            all.entry(name).or_insert(def);
        }
        #[cfg(feature = "healing")]
        for def in crate::healing::catalogue() {
            let name = def.name_in(self.config().namespace_in_force()).into_owned();
            all.entry(name).or_insert(def);
        }
        let families = &self.config().metrics.family;
        let is_off = |def: &MetricDef| {
            families
                .get(&*def.name)
                .is_some_and(|family| !family.enabled)
        };
        all.retain(|_, def| !is_off(def));
        let known = catalogue::catalogue()?;
        let mut own = self.registry().catalog();
        own.retain(|def| !is_off(def) && !known.iter().any(|of| of.name == def.name));
        own.sort_by(|a, b| (a.group, &a.name).cmp(&(b.group, &b.name)));
        Stack::new(all.into_iter().collect(), &own, self.config())
    }

    /// Generates the monitoring stack and writes it to a folder, all or nothing. Files that were
    /// edited there are not overwritten; [`Stack::overwrite`] does that.
    ///
    /// Blocks on disk I/O: in async code, call it from `spawn_blocking`.
    ///
    /// Faults of the configuration; edited files, with the differences; I/O errors. Nothing is
    /// written then.
    /// refuses. Then nothing is written.
    pub fn write_assets(&self, folder: impl AsRef<Path>) -> Result<Written, AssetsError> {
        self.assets()?.write(folder)
    }
}
