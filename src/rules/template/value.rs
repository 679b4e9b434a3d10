//! The values of templates.

use std::sync::Arc;

use super::number::{go_float, go_time};

/// Labels, sorted by name.
pub(in crate::rules) type Labels = Arc<[(Arc<str>, Arc<str>)]>;

/// A series of a query's result.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rules) struct Found {
    pub(in crate::rules) labels: Labels,
    pub(in crate::rules) value: f64,
}

/// The data of a template.
#[derive(Clone, Debug)]
pub(in crate::rules) struct Data {
    pub(in crate::rules) labels: Labels,
    pub(in crate::rules) external_labels: Labels,
    pub(in crate::rules) external_url: Arc<str>,
    pub(in crate::rules) value: f64,
    /// The time of the evaluation, in milliseconds since 1970.
    pub(in crate::rules) now: i64,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    Labels(Labels),
    /// The result of `args`.
    Named(Arc<[(Arc<str>, Value)]>),
    Found(Arc<Found>),
    List(Arc<[Value]>),
    /// Seconds since 1970.
    Time(f64),
    Data(Arc<Data>),
}

impl Value {
    pub(super) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// The name of the Go type, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Labels(_) => "map[string]string",
            Self::Named(_) => "map[string]interface {}",
            Self::Found(_) => "*template.sample",
            Self::List(_) => "template.queryResult",
            Self::Time(_) => "*time.Time",
            Self::Data(_) => "struct",
        }
    }

    /// Whether `if` and `with` take it for true: everything except zero and empty values.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(it) => *it,
            Self::Int(it) => *it != 0,
            Self::Float(it) => *it != 0.0,
            Self::Text(it) => !it.is_empty(),
            Self::Labels(it) => !it.is_empty(),
            Self::Named(it) => !it.is_empty(),
            Self::List(it) => !it.is_empty(),
            Self::Found(_) | Self::Time(_) | Self::Data(_) => true,
        }
    }

    /// Accesses `.name`.
    pub(super) fn field(&self, name: &str) -> Result<Self, String> {
        let found = match (self, name) {
            (Self::Data(data), "Labels") => Self::Labels(Arc::clone(&data.labels)),
            (Self::Data(data), "ExternalLabels") => Self::Labels(Arc::clone(&data.external_labels)),
            (Self::Data(data), "ExternalURL") => Self::Text(Arc::clone(&data.external_url)),
            (Self::Data(data), "Value") => Self::Float(data.value),
            (Self::Found(found), "Labels") => Self::Labels(Arc::clone(&found.labels)),
            (Self::Found(found), "Value") => Self::Float(found.value),
            (Self::Labels(_) | Self::Named(_), _) => self.entry(name),
            _ => return Err(format!("{} has no field `{name}`", self.kind())),
        };
        Ok(found)
    }

    /// The entry of a map; a missing label is empty.
    pub(super) fn entry(&self, name: &str) -> Self {
        match self {
            Self::Labels(labels) => {
                let found = labels.iter().find(|(key, _)| &**key == name);
                found.map_or_else(|| Self::text(""), |(_, text)| Self::Text(Arc::clone(text)))
            }
            Self::Named(entries) => {
                let found = entries.iter().find(|(key, _)| &**key == name);
                found.map_or(Self::Nil, |(_, value)| value.clone())
            }
            _ => Self::Nil,
        }
    }

    /// Formats it as Go's `%v`.
    pub(super) fn show(&self, to: &mut String) {
        match self {
            Self::Nil => to.push_str("<no value>"),
            Self::Bool(it) => to.push_str(if *it { "true" } else { "false" }),
            Self::Int(it) => to.push_str(&it.to_string()),
            Self::Float(it) => to.push_str(&go_float(*it)),
            Self::Text(it) => to.push_str(it),
            Self::Labels(labels) => {
                map(to, labels.iter(), |to, (name, text)| {
                    to.push_str(name);
                    to.push(':');
                    to.push_str(text);
                });
            }
            Self::Named(entries) => {
                map(to, entries.iter(), |to, (name, value)| {
                    to.push_str(name);
                    to.push(':');
                    value.show(to);
                });
            }
            Self::Found(found) => {
                to.push_str("&{");
                Self::Labels(Arc::clone(&found.labels)).show(to);
                to.push(' ');
                to.push_str(&go_float(found.value));
                to.push('}');
            }
            Self::List(values) => {
                to.push('[');
                for (i, value) in values.iter().enumerate() {
                    if i > 0 {
                        to.push(' ');
                    }
                    value.show(to);
                }
                to.push(']');
            }
            Self::Time(seconds) => to.push_str(&go_time(*seconds)),
            Self::Data(data) => {
                to.push('{');
                Self::Labels(Arc::clone(&data.labels)).show(to);
                to.push(' ');
                Self::Labels(Arc::clone(&data.external_labels)).show(to);
                to.push(' ');
                to.push_str(&data.external_url);
                to.push(' ');
                to.push_str(&go_float(data.value));
                to.push('}');
            }
        }
    }

    pub(super) fn shown(&self) -> String {
        let mut text = String::new();
        self.show(&mut text);
        text
    }
}

fn map<T>(to: &mut String, entries: impl Iterator<Item = T>, show: impl Fn(&mut String, T)) {
    to.push_str("map[");
    for (i, entry) in entries.enumerate() {
        if i > 0 {
            to.push(' ');
        }
        show(to, entry);
    }
    to.push(']');
}
