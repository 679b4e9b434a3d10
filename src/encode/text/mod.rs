//! The text formats: Prometheus 0.0.4 and 1.0.0, and OpenMetrics.

mod head;
mod histogram;
mod metadata;
mod number;

use std::borrow::Cow;

use self::head::Head;
use self::histogram::{Bounds, Heads};
use super::escaping::Escaping;
use super::format::{Format, Syntax};
use super::labels::{Globals, Labels};
use crate::catalog::Kind;
use crate::registry::{Scrape, ScrapeFamily, ValueRef};

/// Writes one family in a text format.
pub(super) struct TextFamily<'a> {
    name: &'a str,
    kind: Kind,
    openmetrics: bool,
    escaping: Escaping,
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

impl<'a> TextFamily<'a> {
    /// Writes the metadata of a family that is exposed as `name`.
    pub(super) fn begin(
        buf: &mut Vec<u8>,
        format: Format,
        (scrape, globals): (&Scrape, &'a Globals),
        family: &ScrapeFamily,
        name: &'a str,
    ) -> Self {
        let def = family.def();
        metadata::write(buf, format.syntax(), scrape, name, def);
        let declared = family.labels_are_declared();
        let beside = globals.beside(def.kind, |name| {
            declared && def.labels.iter().any(|l| l == name)
        });
        Self {
            name,
            kind: def.kind,
            openmetrics: format.syntax() == Syntax::OpenMetrics,
            escaping: format.escaping(),
            globals,
            declared,
            lines: Lines::new(name, def.kind, &beside),
            bounds: Bounds::default(),
        }
    }

    /// Writes one series; false, and nothing written, if it is not what its family says it is.
    #[inline]
    pub(super) fn series(&mut self, buf: &mut Vec<u8>, labels: &str, value: ValueRef<'_>) -> bool {
        if self.declared {
            self.write(buf, None, labels, value)
        } else {
            self.foreign(buf, labels, value)
        }
    }

    /// A series whose labels are anybody's.
    fn foreign(&mut self, buf: &mut Vec<u8>, text: &str, value: ValueRef<'_>) -> bool {
        let Some(labels) = Labels::read(text, self.kind, self.escaping) else {
            return false;
        };
        let lines = self.globals.clash(&labels).then(|| {
            let beside = self
                .globals
                .beside(self.kind, |name| labels.names().any(|own| own == name));
            Lines::new(self.name, self.kind, &beside)
        });
        let text: Cow<'_, str> = labels.render(text);
        self.write(buf, lines.as_ref(), &text, value)
    }

    #[inline]
    fn write(
        &mut self,
        buf: &mut Vec<u8>,
        lines: Option<&Lines>,
        labels: &str,
        value: ValueRef<'_>,
    ) -> bool {
        match (value, lines.unwrap_or(&self.lines), self.kind) {
            (ValueRef::Number(number), Lines::One(head), _) => {
                head::sample(buf, head, labels, number);
                true
            }
            (ValueRef::Histogram(value), Lines::Several(heads), Kind::Histogram) => {
                let bounds = &mut self.bounds;
                histogram::histogram(buf, heads, bounds, labels, value, self.openmetrics)
            }
            (
                ValueRef::Summary {
                    quantiles,
                    sum,
                    count,
                },
                Lines::Several(heads),
                Kind::Summary,
            ) => {
                let value = (quantiles, sum, count);
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
