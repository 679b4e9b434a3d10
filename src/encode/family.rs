//! One family in a text format.

use super::format::Syntax;
use super::histogram::{self, Bounds, Heads};
use super::labels::{self, Globals};
use super::text::{self, Head};
use crate::catalog::Kind;
use crate::registry::{ScrapeFamily, Value};

/// Writes the series of one family.
pub(super) struct FamilyWriter<'a> {
    name: &'a str,
    kind: Kind,
    openmetrics: bool,
    globals: &'a Globals,
    /// Whether the labels of every series are those declared, so that they need no look.
    declared: bool,
    lines: Lines,
    bounds: Bounds,
}

/// The beginnings of lines, by what a series of the kind consists of.
enum Lines {
    One(Head),
    Several(Heads),
}

impl<'a> FamilyWriter<'a> {
    pub(super) fn new(family: &'a ScrapeFamily, globals: &'a Globals, syntax: Syntax) -> Self {
        let def = family.def();
        let declared = family.labels_are_declared();
        let beside = if declared {
            globals.beside(def.kind, &def.labels)
        } else {
            globals.beside(def.kind, &[""; 0])
        };
        Self {
            name: family.name(),
            kind: def.kind,
            openmetrics: syntax == Syntax::OpenMetrics,
            globals,
            declared,
            lines: Lines::new(family.name(), def.kind, &beside),
            bounds: Bounds::default(),
        }
    }

    /// Writes one series; false, and nothing written, if it is not what its family says it is.
    #[inline]
    pub(super) fn series(&mut self, buf: &mut Vec<u8>, labels: &str, value: &Value) -> bool {
        let mut lines = None;
        if !self.declared {
            let Some(names) = labels::names(labels, self.kind) else {
                return false;
            };
            if self.globals.clash(&names) {
                let beside = self.globals.beside(self.kind, &names);
                lines = Some(Lines::new(self.name, self.kind, &beside));
            }
        }
        match (value, lines.as_ref().unwrap_or(&self.lines), self.kind) {
            (Value::Number(number), Lines::One(head), _) => {
                text::sample(buf, head, labels, *number);
                true
            }
            (Value::Histogram(value), Lines::Several(heads), Kind::Histogram) => {
                let bounds = &mut self.bounds;
                histogram::histogram(buf, heads, bounds, labels, value, self.openmetrics)
            }
            (
                Value::Summary {
                    quantiles,
                    sum,
                    count,
                },
                Lines::Several(heads),
                Kind::Summary,
            ) => {
                let value = (&**quantiles, *sum, *count);
                histogram::summary(buf, heads, labels, value, self.openmetrics);
                true
            }
            _ => false,
        }
    }
}

impl Lines {
    fn new(name: &str, kind: Kind, globals: &str) -> Self {
        let parts = match kind {
            Kind::Histogram => "_bucket",
            Kind::Summary => "",
            _ => return Self::One(Head::new(name, "", globals)),
        };
        Self::Several(Heads {
            parts: Head::new(name, parts, globals),
            sum: Head::new(name, "_sum", globals),
            count: Head::new(name, "_count", globals),
        })
    }
}
