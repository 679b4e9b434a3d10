use std::collections::BTreeMap;

use crate::catalog::{Allowed, Kind, MetricDef, OTHER};
use crate::registry::{OVERFLOW, Registry, ScrapeFamily, parse_labels};

/// The number of differences in a message.
const SHOWN: usize = 20;

/// Asserts that a registry exposes what is declared in it: no metric of another name or kind, no
/// series with other labels, no label value outside its declaration. Aliases of enabled profiles
/// are checked too; declarations of other libraries (see
/// [`Collector::foreign`](crate::registry::Collector::foreign)) are not.
///
/// Run it at the end of a test that exercises the application.
///
/// ```
/// use selfheal::groups::TestRun;
/// use selfheal::registry::Registry;
///
/// let registry = Registry::new();
/// TestRun::start_in(&registry).success();
/// selfheal::testing::check_catalogue(&registry);
/// ```
///
/// # Panics
/// If anything differs; the message lists the first twenty differences.
#[track_caller]
pub fn check_catalogue(registry: &impl AsRef<Registry>) {
    let differences = differences(registry.as_ref());
    let shown: Vec<String> = differences
        .iter()
        .take(SHOWN)
        .map(|difference| format!("\n  {difference}"))
        .collect();
    assert!(
        differences.is_empty(),
        "the exposed metrics differ from the declared ones in {} place(s):{}",
        differences.len(),
        shown.concat()
    );
}

pub(super) fn differences(registry: &Registry) -> Vec<String> {
    let mut declared: BTreeMap<String, Vec<MetricDef>> = BTreeMap::new();
    for (name, def) in registry.exposed_catalog() {
        declared.entry(name).or_default().push(def);
    }
    let mut found = Vec::new();
    for family in registry.scrape_own().families() {
        let name = family.name();
        match declared.get(name) {
            None => found.push(format!("{name}: no metric of this name is declared")),
            Some(defs) => of_family(name, family, defs, &mut found),
        }
    }
    found
}

fn of_family(name: &str, family: &ScrapeFamily, defs: &[MetricDef], found: &mut Vec<String>) {
    let kind = family.def().kind;
    if let Some(def) = defs.iter().find(|def| def.kind != kind) {
        found.push(format!(
            "{name}: it is a {kind}, but is declared as a {}",
            def.kind
        ));
        return;
    }
    family.each(&mut |labels, _| {
        let series = parse_labels(labels);
        let wrong = defs.iter().map(|def| wrong_with(name, def, &series));
        // Metrics that share an alias share its name.
        let wrong: Option<Vec<String>> = wrong.collect();
        if let Some(wrong) = wrong.and_then(|wrong| wrong.into_iter().next()) {
            found.push(format!("{name}{{{labels}}}: {wrong}"));
        }
    });
}

/// The problem of a series with respect to one definition.
fn wrong_with(name: &str, def: &MetricDef, series: &[(String, String)]) -> Option<String> {
    let has = |label: &str| series.iter().any(|(name, _)| name == label);
    if let Some(label) = def.labels.iter().find(|label| !has(label)) {
        return Some(format!("the label {label:?} is missing"));
    }
    for (label, value) in series {
        // A state set's label is its name, and an info metric may have more labels.
        let is_state = def.kind == Kind::StateSet && label == name;
        if !is_state && def.kind != Kind::Info && !def.labels.iter().any(|known| known == label) {
            return Some(format!("the label {label:?} is not declared"));
        }
        let is_any = value == OTHER || value == OVERFLOW;
        if let Some(Allowed::These(values)) = def.allowed.get(&**label)
            && !is_any
            && !values.iter().any(|known| known == value)
        {
            return Some(format!("{label:?} cannot be {value:?}"));
        }
    }
    None
}
