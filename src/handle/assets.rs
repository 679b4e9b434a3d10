use std::collections::BTreeMap;
use std::path::Path;

use super::{Selfheal, catalogue};
use crate::assets::{AssetsError, Stack, Written};
use crate::catalog::MetricDef;
use crate::registry::Registry;

impl Selfheal {
    /// Generates the monitoring stack: rules, dashboards and deployment files for every metric of
    /// this crate and every one that the application has declared so far, under the names and
    /// with the labels, buckets and objectives of the configuration. No file is touched.
    ///
    /// # Errors
    /// The configuration asks for what cannot be generated; all faults are listed.
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
            let name = match self.config().namespace_in_force() {
                namespace if def.namespaced && !namespace.is_empty() => {
                    format!("{namespace}_{}", def.name)
                }
                _ => def.name.to_string(),
            };
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

    /// Generates the monitoring stack and writes it below a folder, all or nothing. What a person
    /// has edited there is not overwritten; [`Stack::overwrite`] does.
    ///
    /// It blocks on the disk: within async code, call it from `spawn_blocking`.
    ///
    /// # Errors
    /// Faults of the configuration; files that were edited, with the differences; what the system
    /// refuses. Then nothing is written.
    pub fn write_assets(&self, folder: impl AsRef<Path>) -> Result<Written, AssetsError> {
        self.assets()?.write(folder)
    }
}
