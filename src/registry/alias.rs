//! Exposition of metrics under the other names that profiles enable.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::Registry;
use super::error::DeclareError;
use super::rendered::SeriesLabels;
use super::scrape_family::{ScrapeFamily, Source, exposed_name};
use super::settings::Settings;
use super::snapshot::{
    FamilySnapshot, HistogramRef, HistogramSnapshot, Number, SeriesSnapshot, Value, ValueRef,
};
use crate::catalog::{Alias, Kind, MetricDef, names};

impl Settings {
    /// The enabled aliases of a definition, with their full names. A profile with a namespace of
    /// its own aliases the metrics of its groups unchanged.
    fn aliases<'d>(&self, def: &'d MetricDef) -> Vec<(Cow<'d, Alias>, String)> {
        let mut on: Vec<(Cow<'d, Alias>, String)> = Vec::new();
        for profile in &self.profiles {
            let full = |name: &str| match &*profile.namespace {
                "" => name.to_owned(),
                namespace => format!("{namespace}_{name}"),
            };
            let of = def
                .aliases
                .iter()
                .filter(|alias| alias.profile == profile.name);
            on.extend(of.map(|alias| (Cow::Borrowed(alias), full(&alias.name))));
            let has = profile.groups.iter().any(|group| *group == def.group);
            if has && def.namespaced && profile.namespace != self.namespace {
                let plain = Alias::new(profile.name.clone(), def.name.clone());
                let name = full(&def.name);
                if on.iter().all(|(_, known)| *known != name) {
                    on.push((Cow::Owned(plain), name));
                }
            }
        }
        on
    }

    /// The names under which a definition is exposed, its own first.
    pub(super) fn faces(&self, def: &MetricDef) -> Vec<String> {
        let own = exposed_name(self, def);
        let aliases = self.aliases(def).into_iter().map(|(_, name)| name);
        std::iter::once(own).chain(aliases).collect()
    }

    /// Adds the bounds of its aliases to a histogram, so that they can be counted.
    pub(super) fn widen(&self, def: &mut MetricDef) {
        let aliases = self.aliases(def);
        let bounds = aliases.iter().flat_map(|(alias, _)| {
            let scale = alias.scale;
            alias.buckets.iter().map(move |bound| bound / scale)
        });
        let bounds: Vec<f64> = bounds.collect();
        if !def.buckets.is_empty() && !bounds.is_empty() {
            def.buckets.extend(bounds);
            def.buckets.sort_by(f64::total_cmp);
            def.buckets.dedup();
        }
    }
}

impl Registry {
    /// Every name that is or could be exposed, with its definition: those of
    /// [`catalog`](Self::catalog), with the namespace, and the aliases of the enabled profiles.
    #[must_use]
    pub fn exposed_catalog(&self) -> Vec<(String, MetricDef)> {
        let settings = self.settings();
        let mut all = Vec::new();
        for def in self.catalog() {
            for (alias, name) in settings.aliases(&def) {
                all.push((name.clone(), alias.definition(&def, name)));
            }
            all.push((exposed_name(&settings, &def), def));
        }
        all
    }
}

/// Checks that neither of two definitions has a name that is an alias of the other. Two may share
/// an alias, which then has the series of both.
pub(super) fn apart(
    settings: &Settings,
    existing: &MetricDef,
    wanted: &MetricDef,
) -> Result<(), DeclareError> {
    if settings.profiles.is_empty() {
        return Ok(());
    }
    let ours = settings.faces(wanted);
    for (at, name) in settings.faces(existing).into_iter().enumerate() {
        for (own_at, own) in ours.iter().enumerate() {
            let kind_of = |of: &str| (*of == *name).then_some(existing.kind);
            let both_are = at > 0 && own_at > 0 && *own == name && existing.kind == wanted.kind;
            let neither_is = at == 0 && own_at == 0;
            if !both_are && !neither_is && names::owner(own, wanted.kind, kind_of).is_some() {
                return Err(DeclareError::Alias {
                    name: own.clone(),
                    existing: Box::new(existing.clone()),
                    wanted: Box::new(wanted.clone()),
                });
            }
        }
    }
    Ok(())
}

/// The aliases of a scrape, by their names.
pub(super) struct Aliases<'s> {
    settings: &'s Settings,
    families: BTreeMap<String, (Arc<MetricDef>, ByLabels)>,
}

type ByLabels = BTreeMap<Box<str>, SeriesSnapshot>;

impl<'s> Aliases<'s> {
    pub(super) fn new(settings: &'s Settings) -> Self {
        Self {
            settings,
            families: BTreeMap::new(),
        }
    }

    /// Adds the aliases of a family, which is read once for all of them, so they have the same
    /// values.
    pub(super) fn add(&mut self, family: &mut ScrapeFamily) {
        if self.settings.profiles.is_empty() || family.def.kind == Kind::StateSet {
            return;
        }
        let def = Arc::clone(&family.def);
        let aliases = self.settings.aliases(&def);
        if aliases.is_empty() {
            return;
        }
        let mut series = Vec::new();
        family.each(&mut |labels, sample| series.push(sample.to_series(labels)));
        for (alias, name) in aliases {
            self.rewrite(&alias, name, &def, &series);
        }
        family.source = Source::Taken(series);
    }

    /// Like [`add`](Self::add), for a family of a collector.
    pub(super) fn add_collected(&mut self, family: &FamilySnapshot) {
        for (alias, name) in self.settings.aliases(&family.def) {
            self.rewrite(&alias, name, &family.def, &family.series);
        }
    }

    fn rewrite(&mut self, alias: &Alias, name: String, def: &MetricDef, from: &[SeriesSnapshot]) {
        if from.is_empty() {
            return;
        }
        let place = self.families.entry(name.clone());
        let (there, all) = place.or_insert_with(|| {
            let def = alias.definition(def, name);
            (Arc::new(def), BTreeMap::new())
        });
        if there.kind != def.kind {
            return;
        }
        for series in from {
            let labels = SeriesLabels::new(&series.labels);
            let labels = labels
                .iter()
                .map(|(name, value)| (Cow::Borrowed(name), value));
            let labels = alias.labels_of(labels, &self.settings.instance);
            let labels = labels.iter().map(|(name, value)| (&**name, &**value));
            let mut new = SeriesSnapshot::new(labels, reshaped(alias, series));
            new.created = series.created;
            if !alias.is_reshaped() {
                new.exemplar.clone_from(&series.exemplar);
            }
            match all.entry(new.labels.clone()) {
                Entry::Vacant(place) => drop(place.insert(new)),
                Entry::Occupied(mut there) => add(there.get_mut(), &new),
            }
        }
    }

    /// The families, by name.
    pub(super) fn into_families(self) -> impl Iterator<Item = ScrapeFamily> {
        let families = self.families.into_iter();
        families.map(|(name, (def, series))| ScrapeFamily {
            name,
            def,
            source: Source::Taken(series.into_values().collect()),
        })
    }
}

/// The value of a series as its alias exposes it.
fn reshaped(alias: &Alias, series: &SeriesSnapshot) -> Value {
    if !alias.is_reshaped() {
        return series.value.clone();
    }
    match series.value.as_ref() {
        ValueRef::Number(number) => Value::Number(Number::F64(number.as_f64() * alias.scale)),
        ValueRef::Histogram(histogram) => Value::Histogram(rebucketed(alias, histogram)),
        ValueRef::Summary { .. } => series.value.clone(),
    }
}

/// Counts by other bounds: each covers the old buckets whose bounds do not exceed it.
fn rebucketed(alias: &Alias, histogram: HistogramRef<'_>) -> HistogramSnapshot {
    let scaled = histogram.bounds.iter().map(|bound| bound * alias.scale);
    let old: Vec<f64> = scaled.collect();
    let bounds = match &*alias.buckets {
        [] => &*old,
        buckets => buckets,
    };
    let below = |bound: f64| -> u64 {
        // Bounds that were scaled may differ in the last digit.
        let covered = old.iter().take_while(|old| **old <= bound * (1.0 + 1e-12));
        let counts = histogram.counts.iter().take(covered.count());
        counts.copied().fold(0, u64::wrapping_add)
    };
    let mut counts = Vec::with_capacity(bounds.len() + 1);
    let mut before = 0;
    for all in bounds
        .iter()
        .map(|bound| below(*bound))
        .chain([histogram.count()])
    {
        counts.push(all.wrapping_sub(before));
        before = all;
    }
    HistogramSnapshot::classic(bounds, counts, histogram.sum * alias.scale)
}

/// Adds a series to one that became equal by a dropped label.
fn add(there: &mut SeriesSnapshot, new: &SeriesSnapshot) {
    match (&mut there.value, &new.value) {
        (Value::Number(Number::U64(sum)), Value::Number(Number::U64(n))) => {
            *sum = sum.wrapping_add(*n);
        }
        (Value::Number(sum), Value::Number(n)) => {
            *sum = Number::F64(sum.as_f64() + n.as_f64());
        }
        (Value::Histogram(sum), Value::Histogram(n)) if sum.bounds == n.bounds => {
            let pairs = sum.counts.iter_mut().zip(&n.counts);
            pairs.for_each(|(sum, n)| *sum = sum.wrapping_add(*n));
            sum.sum += n.sum;
            sum.native = None;
        }
        _ => {}
    }
    // The combined series is as old as the older one.
    there.created = there.created.zip(new.created).map(|(a, b)| a.min(b));
}
