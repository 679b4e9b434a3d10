//! The protobuf format: `io.prometheus.client.MetricFamily` of github.com/prometheus/client_model,
//! each message length-delimited.

mod exemplar;
mod labels;
mod message;
mod native;
mod value;
mod wire;

use std::ops::ControlFlow;

use self::labels::Names;
use self::message::{Fits, Length, Message};
use super::escaping::Escaping;
use super::format::Format;
use super::labels::{Globals, Labels, need_no_check};
use crate::catalog::{Kind, MetricDef, Unit};
use crate::registry::{Sample, ScrapeFamily};
use crate::util::escape;

/// Writes one family, in one message.
pub(super) struct ProtobufFamily<'a> {
    kind: Kind,
    escaping: Escaping,
    globals: &'a Globals,
    /// The label names, if every series has the declared ones.
    declared: Option<Names>,
    /// The fields of a message before its metrics: name, help, type and unit.
    head: Vec<u8>,
    /// The global labels, as fields of a metric.
    beside: Vec<u8>,
    message: Message,
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
        // Fields may be in any order; `metric` (4) follows later.
        if let Some(unit) = unit(def, name) {
            wire::string(&mut head, 5, unit);
        }
        let declared = need_no_check(family);
        let beside = globals.beside(def.kind, |name| {
            declared && def.labels.iter().any(|label| label == name)
        });
        let mut fields = Vec::new();
        labels::fields(&mut fields, escape::labels(&beside));
        Self {
            kind: def.kind,
            escaping: format.escaping(),
            globals,
            declared: declared.then(|| Names::new(def.labels.iter().map(|name| &**name))),
            head,
            beside: fields,
            message: Message::None,
        }
    }

    /// Writes one series; writes nothing and returns false if it does not match its family's kind,
    /// or has outgrown the message's spare space.
    pub(super) fn series(&mut self, buf: &mut Vec<u8>, text: &str, sample: &Sample<'_>) -> bool {
        if !value::is_of(sample.value, self.kind) {
            return false;
        }
        let before = buf.len();
        let is_first = self.message.begin(buf, &self.head);
        let start = buf.len();
        if !self.metric(buf, text, sample) {
            if is_first {
                self.message = Message::None;
                buf.truncate(before);
            }
            return false;
        }
        let length = match self.message {
            Message::Long { .. } => self.length_of(buf, start, text, sample),
            _ => return true,
        };
        let fits = self.message.takes(length);
        if !matches!(fits, Fits::Whole) {
            buf.truncate(start);
        }
        if matches!(fits, Fits::WithoutExemplars) {
            self.metric(buf, text, &sample.without_exemplars());
        }
        !matches!(fits, Fits::Not)
    }

    /// The length of the metric written from `start` on.
    fn length_of(
        &self,
        buf: &mut Vec<u8>,
        start: usize,
        text: &str,
        sample: &Sample<'_>,
    ) -> Length {
        let end = buf.len();
        let mut bare = end - start;
        if sample.has_exemplars() {
            self.metric(buf, text, &sample.without_exemplars());
            bare = buf.len() - end;
            buf.truncate(end);
        }
        let exemplars = end - start - bare;
        Length { bare, exemplars }
    }

    /// Writes the metric of a series; writes nothing and returns false if its labels are invalid.
    fn metric(&self, buf: &mut Vec<u8>, text: &str, sample: &Sample<'_>) -> bool {
        if let Some(names) = &self.declared {
            wire::message(buf, 4, |buf| {
                buf.extend_from_slice(&self.beside);
                names.write(buf, text);
                value::write(buf, self.kind, sample);
            });
            return true;
        }
        let Some(own) = Labels::read(text, self.kind, self.escaping) else {
            return false;
        };
        let taken = |name: &str| own.names().any(|own| own == name);
        let beside = self.globals.beside(self.kind, taken);
        wire::message(buf, 4, |buf| {
            labels::fields(buf, escape::labels(&beside));
            labels::fields(buf, own.iter());
            value::write(buf, self.kind, sample);
        });
        true
    }

    /// Prepares the buffer to be handed over, before the series from `next` on.
    pub(super) fn hand_over(&mut self, buf: &mut Vec<u8>, family: &ScrapeFamily, next: usize) {
        let mut message = std::mem::replace(&mut self.message, Message::None);
        message.begin_long(buf, self.kind, || self.length(family, next));
        self.message = message;
    }

    /// The current length of the series from `next` on.
    fn length(&self, family: &ScrapeFamily, next: usize) -> Length {
        let (mut all, mut scratch) = (Length::default(), Vec::new());
        let mut next = Some(next);
        while let Some(from) = next {
            next = family.each_from(from, &mut |text, sample| {
                scratch.clear();
                if value::is_of(sample.value, self.kind) && self.metric(&mut scratch, text, sample)
                {
                    let one = self.length_of(&mut scratch, 0, text, sample);
                    all.bare += one.bare;
                    all.exemplars += one.exemplars;
                }
                ControlFlow::Continue(())
            });
        }
        all
    }

    /// Ends the message; false if `space` bytes were not enough.
    pub(super) fn finish(&mut self, buf: &mut Vec<u8>, space: usize) -> bool {
        self.message.finish(buf, space)
    }
}

/// The unit, if the exposed name, without the `_total` of a counter, ends in it. Otherwise
/// Prometheus 2.50 to 3.8 reject the whole page.
fn unit(def: &MetricDef, name: &str) -> Option<&'static str> {
    let fits = |unit: &Unit| {
        let suffixed = name.ends_with("_total") && def.kind != Kind::Counter;
        unit.ends(name) && !suffixed
    };
    def.unit.filter(fits).map(Unit::as_str)
}
