//! Labels with bounded values: a value beyond the bound is recorded as `other`.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use super::labels::Labels;
use crate::catalog::{Allowed, MetricDef, OTHER};

/// The values of all bounded labels. The metrics of a group share those of a label, so that a model
/// is `other` in all of them or in none.
#[derive(Default)]
pub(super) struct All(Mutex<BTreeMap<(String, String), Arc<Values>>>);

/// The values seen of one label.
#[derive(Debug)]
struct Values {
    limit: usize,
    known: RwLock<HashSet<Box<str>>>,
}

impl All {
    /// The bounds of a definition.
    pub(super) fn of(&self, def: &MetricDef) -> Bounds {
        let labels = def.labels.iter().enumerate();
        let bounded = labels.filter_map(|(at, label)| {
            let allowed = def.allowed.get(label)?;
            Some(Bounded {
                label: label.to_string(),
                at,
                values: self.values(def, label, allowed),
                overflowed: AtomicU64::new(0),
            })
        });
        Bounds(bounded.collect())
    }

    fn values(&self, def: &MetricDef, label: &str, allowed: &Allowed) -> Arc<Values> {
        let new = || Arc::new(Values::new(allowed));
        match allowed {
            Allowed::First(limit) if !def.group.is_empty() => {
                let key = (def.group.to_owned(), format!("{label} {limit}"));
                Arc::clone(self.0.lock().entry(key).or_insert_with(new))
            }
            _ => new(),
        }
    }
}

impl Values {
    fn new(allowed: &Allowed) -> Self {
        let (limit, known) = match allowed {
            Allowed::First(limit) => (*limit, HashSet::new()),
            Allowed::These(values) => (0, values.iter().map(|value| (**value).into()).collect()),
        };
        Self {
            limit,
            known: RwLock::new(known),
        }
    }

    /// Whether a series may have this value, which is then known.
    fn admit(&self, value: &str) -> bool {
        // An empty value means an absent label, so it is not a value of its own.
        if value.is_empty() || value == OTHER {
            return true;
        }
        let known = self.known.read();
        if known.contains(value) {
            return true;
        }
        if known.len() >= self.limit {
            return false;
        }
        drop(known);
        let mut known = self.known.write();
        let may_be = known.contains(value) || known.len() < self.limit;
        if may_be {
            known.insert(value.into());
        }
        may_be
    }
}

/// The bounds of the labels of one family; empty if none is bounded.
#[derive(Default)]
pub(super) struct Bounds(Box<[Bounded]>);

struct Bounded {
    label: String,
    /// Index among the labels.
    at: usize,
    values: Arc<Values>,
    /// Lookups with a value recorded as `other`.
    overflowed: AtomicU64,
}

impl Bounds {
    /// The labels to look up instead of these, if any of them has a value that is `other`. Called
    /// only if no series has these labels, so that bounds cost nothing for existing series.
    pub(super) fn substitute<'l, L: Labels>(&self, labels: &'l L) -> Option<Substituted<'l, L>> {
        let mut other = 0_u64;
        for bounded in &self.0 {
            let mut at = 0;
            labels.visit(&mut |value| {
                if at == bounded.at && !bounded.values.admit(value) {
                    bounded.overflowed.fetch_add(1, Ordering::Relaxed);
                    other |= 1_u64.checked_shl(at.try_into().unwrap_or(64)).unwrap_or(0);
                }
                at += 1;
            });
        }
        (other != 0).then_some(Substituted { labels, other })
    }

    /// For each label, the lookups with a value recorded as `other`.
    pub(super) fn overflowed(&self) -> impl Iterator<Item = (&str, u64)> {
        let bounded = self.0.iter();
        bounded.map(|bounded| (&*bounded.label, bounded.overflowed.load(Ordering::Relaxed)))
    }
}

impl fmt::Debug for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.overflowed()).finish()
    }
}

/// Labels some of which are replaced by `other`.
pub(super) struct Substituted<'l, L> {
    labels: &'l L,
    /// A bit for each replaced label.
    other: u64,
}

impl<L: Labels> Labels for Substituted<'_, L> {
    type Key = L::Key;

    fn visit(&self, visit: &mut impl FnMut(&str)) {
        let mut bits = self.other;
        self.labels.visit(&mut |value| {
            visit(if bits & 1 == 1 { OTHER } else { value });
            bits >>= 1;
        });
    }
}
