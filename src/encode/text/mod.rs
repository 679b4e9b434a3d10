//! The text formats: Prometheus 0.0.4 and 1.0.0, and OpenMetrics.

mod exemplar;
mod head;
mod histogram;
mod metadata;
mod number;

use std::borrow::Cow;

use self::head::Head;
pub(super) use self::histogram::Bounds;
use self::histogram::Heads;
use super::escaping::Escaping;
use super::format::{Format, Syntax};
use super::labels::{Globals, Labels, need_no_check};
use super::names::Names;
use crate::catalog::Kind;
use crate::registry::{Number, Sample, ScrapeFamily, ValueRef};

/// Writes one family in a text format.
pub(super) struct TextFamily<'a> {
    /// The name of its samples, without the suffixes of its kind.
    name: &'a str,
    kind: Kind,
    /// In OpenMetrics, the kind whose rules the samples follow.
    rules: Option<Kind>,
    /// The name of the creation-time samples, if the format has them for the kind.
    created: Option<String>,
    escaping: Escaping,
    globals: &'a Globals,
    /// Whether the labels of every series are those declared, and need no check.
    declared: bool,
    lines: Lines,
    bounds: &'a mut Bounds,
}

/// The line prefixes.
struct Lines {
    value: Values,
    created: Option<Head>,
}

/// The parts of a series, by kind.
enum Values {
    One(Head),
    Several(Heads),
}

impl<'a> TextFamily<'a> {
    /// Writes the metadata of a family that is exposed as `name`.
    pub(super) fn begin(
        buf: &mut Vec<u8>,
        format: Format,
        (names, globals, bounds): (&Names<'_>, &'a Globals, &'a mut Bounds),
        family: &ScrapeFamily,
        name: &'a str,
    ) -> Self {
        let def = family.def();
        let (known_as, shown_as) = metadata::write(buf, format.syntax(), names, name, def);
        let declared = need_no_check(family);
        let beside = globals.beside(def.kind, |name| {
            declared && def.labels.iter().any(|l| l == name)
        });
        let rules = (format.syntax() == Syntax::OpenMetrics).then_some(shown_as);
        let created = matches!(rules, Some(Kind::Counter | Kind::Histogram | Kind::Summary));
        let created = created
            .then(|| format!("{known_as}_created"))
            // Otherwise it would be a sample of another family, which may be known without its
            // suffix.
            .filter(|created| {
                let suffixes = ["", "_total", "_info"];
                !suffixes
                    .iter()
                    .any(|suffix| names.has(&format!("{created}{suffix}")))
            });
        Self {
            name,
            kind: def.kind,
            rules,
            lines: Lines::new((name, created.as_deref()), def.kind, &beside),
            created,
            escaping: format.escaping(),
            globals,
            declared,
            bounds,
        }
    }

    /// Writes one series; writes nothing and returns false if it does not match its family's kind.
    #[inline]
    pub(super) fn series(&mut self, buf: &mut Vec<u8>, labels: &str, sample: &Sample<'_>) -> bool {
        if self.declared {
            self.write(buf, None, labels, sample)
        } else {
            self.foreign(buf, labels, sample)
        }
    }

    /// Writes a series with unchecked labels.
    fn foreign(&mut self, buf: &mut Vec<u8>, text: &str, sample: &Sample<'_>) -> bool {
        let Some(labels) = Labels::read(text, self.kind, self.escaping) else {
            return false;
        };
        // The label of a state set has the name of the metric.
        if self.rules == Some(Kind::StateSet) && !labels.has(self.name) {
            return false;
        }
        let lines = self.globals.clash(&labels).then(|| {
            let beside = self
                .globals
                .beside(self.kind, |name| labels.names().any(|own| own == name));
            Lines::new((self.name, self.created.as_deref()), self.kind, &beside)
        });
        let text: Cow<'_, str> = labels.render(text);
        self.write(buf, lines.as_ref(), &text, sample)
    }

    #[inline]
    fn write(
        &mut self,
        buf: &mut Vec<u8>,
        lines: Option<&Lines>,
        labels: &str,
        sample: &Sample<'_>,
    ) -> bool {
        let lines = lines.unwrap_or(&self.lines);
        let openmetrics = self.rules.is_some();
        match (sample.value, &lines.value, self.kind) {
            (ValueRef::Number(number), Values::One(head), _) => {
                if !self.rules.is_none_or(|kind| allows(kind, number)) {
                    return false;
                }
                let has_exemplars = self.rules == Some(Kind::Counter);
                let exemplar = sample.exemplar.filter(|_| has_exemplars);
                head::sample(buf, head, labels, number, exemplar);
            }
            (ValueRef::Histogram(value), Values::Several(heads), Kind::Histogram) => {
                if !histogram::histogram(buf, heads, self.bounds, labels, value, openmetrics) {
                    return false;
                }
            }
            (
                ValueRef::Summary {
                    quantiles,
                    sum,
                    count,
                },
                Values::Several(heads),
                Kind::Summary,
            ) => {
                let value = (quantiles, sum, count);
                histogram::summary(buf, heads, labels, value, openmetrics);
            }
            _ => return false,
        }
        if let (Some(head), Some(at)) = (&lines.created, sample.created) {
            exemplar::created(buf, head, labels, at);
        }
        true
    }
}

/// Whether OpenMetrics allows this value in a sample of this kind.
#[inline]
fn allows(kind: Kind, number: Number) -> bool {
    match (kind, number) {
        (Kind::Counter, Number::U64(_)) => true,
        (Kind::Counter, number) => number.as_f64() >= 0.0,
        (Kind::Info, number) => number.as_f64().to_bits() == 1_f64.to_bits(),
        (Kind::StateSet, number) => [0.0, 1.0].contains(&number.as_f64()),
        _ => true,
    }
}

impl Lines {
    /// The prefixes for the samples of `name`, and for creation times if there are any.
    fn new((name, created): (&str, Option<&str>), kind: Kind, globals: &str) -> Self {
        let parts = match kind {
            Kind::Histogram => Some("_bucket"),
            Kind::Summary => Some(""),
            _ => None,
        };
        let value = match parts {
            None => Values::One(Head::new(name, "", globals)),
            Some(suffix) => Values::Several(Heads {
                parts: Head::new(name, suffix, globals),
                sum: Head::new(name, "_sum", globals),
                count: Head::new(name, "_count", globals),
            }),
        };
        Self {
            value,
            created: created.map(|created| Head::new(created, "", globals)),
        }
    }
}
