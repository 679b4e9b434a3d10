//! The protobuf format: `io.prometheus.client.MetricFamily` of
//! github.com/prometheus/client_model, each message after its length.

mod exemplar;
mod labels;
mod native;
mod value;
mod wire;

use self::labels::Names;
use super::escaping::Escaping;
use super::format::Format;
use super::labels::{Globals, Labels, need_no_look, pairs};
use crate::catalog::{Kind, MetricDef, Unit};
use crate::registry::{Sample, ScrapeFamily};

/// Writes one family, in one message or several.
pub(super) struct ProtobufFamily<'a> {
    kind: Kind,
    escaping: Escaping,
    globals: &'a Globals,
    /// Those of the labels, where every series has the declared ones.
    declared: Option<Names>,
    /// The fields of a message before its metrics: name, help, type and unit.
    head: Vec<u8>,
    /// The labels that every series carries, as fields of a metric.
    beside: Vec<u8>,
    /// Where the message that is being written began.
    start: Option<usize>,
}

impl<'a> ProtobufFamily<'a> {
    /// Begins a family that is exposed as `name`.
    pub(super) fn begin(
        format: Format,
        globals: &'a Globals,
        family: &ScrapeFamily,
        name: &str,
    ) -> Self {
        let def = family.def();
        let mut head = Vec::new();
        wire::string(&mut head, 1, name);
        if !def.help.is_empty() {
            wire::string(&mut head, 2, &def.help);
        }
        wire::uint(&mut head, 3, value::metric_type(def.kind));
        // The protobuf message has its fields in any order, and `metric` (4) comes later.
        if let Some(unit) = unit(def, name) {
            wire::string(&mut head, 5, unit);
        }
        let declared = need_no_look(family);
        let beside = globals.beside(def.kind, |name| {
            declared && def.labels.iter().any(|label| label == name)
        });
        let mut fields = Vec::new();
        labels::fields(&mut fields, pairs(&beside));
        Self {
            kind: def.kind,
            escaping: format.escaping(),
            globals,
            declared: declared.then(|| Names::new(def.labels.iter().map(|name| &**name))),
            head,
            beside: fields,
            start: None,
        }
    }

    /// Writes one series; false, and nothing written, if it is not what its family says it is.
    pub(super) fn series(&mut self, buf: &mut Vec<u8>, text: &str, sample: &Sample<'_>) -> bool {
        if !value::is_of(sample.value, self.kind) {
            return false;
        }
        let message = (&mut self.start, &*self.head);
        if let Some(names) = &self.declared {
            let beside = &self.beside;
            metric(buf, message, (self.kind, sample), |buf| {
                buf.extend_from_slice(beside);
                names.write(buf, text);
            });
            return true;
        }
        let Some(own) = Labels::read(text, self.kind, self.escaping) else {
            return false;
        };
        let taken = |name: &str| own.names().any(|own| own == name);
        let beside = self.globals.beside(self.kind, taken);
        metric(buf, message, (self.kind, sample), |buf| {
            labels::fields(buf, pairs(&beside));
            labels::fields(buf, own.iter());
        });
        true
    }

    /// Ends the message; the next series begins another one.
    pub(super) fn finish(&mut self, buf: &mut Vec<u8>) {
        if let Some(start) = self.start.take() {
            wire::insert_length(buf, start);
        }
    }
}

/// The unit, where it is the end of the exposed name, the `_total` of a counter aside.
/// Prometheus 2.50 to 3.8 refuse a whole page for one that is not.
fn unit(def: &MetricDef, name: &str) -> Option<&'static str> {
    let fits = |unit: &Unit| {
        let suffixed = name.ends_with("_total") && def.kind != Kind::Counter;
        unit.ends(name) && !suffixed
    };
    def.unit.filter(fits).map(Unit::as_str)
}

/// Writes one metric, and the head of a message where none has begun.
fn metric(
    buf: &mut Vec<u8>,
    (start, head): (&mut Option<usize>, &[u8]),
    (kind, sample): (Kind, &Sample<'_>),
    labels: impl FnOnce(&mut Vec<u8>),
) {
    if start.is_none() {
        *start = Some(buf.len());
        buf.extend_from_slice(head);
    }
    wire::message(buf, 4, |buf| {
        labels(buf);
        value::write(buf, kind, sample);
    });
}
