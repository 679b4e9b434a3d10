//! Checks of a definition against the rules of names, labels and aliases.

use super::error::DeclareError;
use crate::catalog::{Kind, MetricDef, Relabel, names};
use crate::util::escape::{self, NameOf};

/// Checks a whole definition.
pub(super) fn definition(def: &MetricDef) -> Result<(), DeclareError> {
    names::definition(def).map_err(|problem| DeclareError::Metric {
        name: def.name.to_string(),
        problem,
    })?;
    for (at, label) in def.labels.iter().enumerate() {
        let problem = match names::label_of(def, label) {
            Err(problem) => problem,
            Ok(()) if def.kind == Kind::StateSet && *label == def.name => {
                "is the label of the state"
            }
            Ok(()) if def.labels[..at].contains(label) => "occurs twice",
            Ok(()) if is_twice_escaped(def, at) => {
                "is the same as another label or the state where UTF-8 is escaped"
            }
            Ok(()) => continue,
        };
        return Err(DeclareError::Label {
            name: def.name.to_string(),
            label: label.to_string(),
            problem,
        });
    }
    check_more(def)
}

/// Checks the parts of a definition other than its own name and labels.
fn check_more(def: &MetricDef) -> Result<(), DeclareError> {
    let unknown = |label: &str, problem| DeclareError::Label {
        name: def.name.to_string(),
        label: label.to_owned(),
        problem,
    };
    for label in def.allowed.keys() {
        if !def.labels.contains(label) {
            return Err(unknown(label, "has bounds but is not one of its labels"));
        }
    }
    for alias in &def.aliases {
        let problem = match names::metric(&alias.name) {
            Err(problem) => problem,
            Ok(()) if def.kind == Kind::StateSet => {
                "is an alias of a state set, which cannot have one"
            }
            Ok(()) if !(alias.scale.is_finite() && alias.scale > 0.0) => {
                "is an alias whose scale is not above zero"
            }
            Ok(()) if !alias.buckets.is_empty() => match names::buckets(&alias.buckets) {
                Err(problem) => problem,
                Ok(()) => "",
            },
            Ok(()) => "",
        };
        if !problem.is_empty() {
            return Err(DeclareError::Metric {
                name: alias.name.to_string(),
                problem,
            });
        }
        for relabel in &alias.labels {
            match relabel {
                Relabel::Rename(label, _) | Relabel::Without(label)
                    if !def.labels.contains(label) =>
                {
                    return Err(unknown(
                        label,
                        "is changed by an alias but is not one of its labels",
                    ));
                }
                Relabel::Rename(_, label) | Relabel::With(label, _) | Relabel::Instance(label) => {
                    names::label(label).map_err(|problem| unknown(label, problem))?;
                }
                Relabel::Without(_) => {}
            }
        }
    }
    Ok(())
}

/// Whether a label has the name of an earlier one, or of the state, for a scraper that does not
/// request UTF-8 names.
fn is_twice_escaped(def: &MetricDef, at: usize) -> bool {
    let escaped = |name| escape::underscores(name, NameOf::Label);
    let Some((label, before)) = def.labels.get(at).zip(def.labels.get(..at)) else {
        return false;
    };
    let state = (def.kind == Kind::StateSet).then_some(&def.name);
    def.utf8
        && before
            .iter()
            .chain(state)
            .any(|known| escaped(known) == escaped(label))
}
