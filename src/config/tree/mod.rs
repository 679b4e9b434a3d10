//! The untyped configuration: the values of a file, the environment or a builder, each with its
//! source.
//!
//! Several sources are merged into a tree that is deserialized once, so that all faults of all
//! sources are reported together.
//!
//! The `Deserializer` is our own, since the type of a field decides how the text of a variable is
//! parsed. It needs the path of each value to remove what failed in the previous reading, and
//! reports all unknown keys of a section; `serde_path_to_error` gives one fault per reading, and
//! `serde_ignored` reports keys only if the type allows them, and without the known names to
//! suggest from.
//!
//! So is the `Serializer`: a value of `serde_json` has no NaN, which the checks report, and its
//! errors have no path.

use std::collections::BTreeMap;

use super::faults::{Faults, Origin, push_index, push_key};

mod access;
mod compound;
mod de;
mod elsewhere;
mod env;
mod error;
mod links;
mod reader;
mod ser;

pub(super) use de::read;
pub(super) use env::overlay;
pub(super) use ser::write;

/// The key of the entry of a map of sections in a sample of all settings, where users choose the
/// name; settings are lowercase.
pub(super) const ANY_NAME: &str = "NAME";

/// No `Debug`: a tree holds secrets in plain text.
#[derive(PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Option<Origin>,
}

#[derive(PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// Wide enough for `i64` and `u64` alike.
    Int(i128),
    Float(f64),
    Text(String),
    /// The text of an environment variable, parsed according to its field.
    Variable(String),
    List(Vec<Node>),
    Table(Table),
}

pub(super) type Table = BTreeMap<String, Node>;

impl Value {
    fn found(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number with a decimal point",
            Self::Text(_) => "text",
            Self::Variable(_) => "other text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        Self {
            value,
            origin: None,
        }
    }
}

impl Node {
    pub(super) fn table() -> Self {
        Value::Table(Table::new()).into()
    }

    /// The paths of the values that differ from or are absent in `other`.
    pub(super) fn differing(&self, other: &Self) -> Vec<String> {
        let mut paths = Vec::new();
        self.compare(other, String::new(), &mut paths);
        paths
    }

    fn compare(&self, other: &Self, path: String, paths: &mut Vec<String>) {
        match (&self.value, &other.value) {
            (Value::Table(ours), Value::Table(others)) => {
                for (key, ours) in ours {
                    let path = child_path(&path, key);
                    match others.get(key) {
                        Some(other) => ours.compare(other, path, paths),
                        None => paths.push(path),
                    }
                }
            }
            (ours, other) if ours != other => paths.push(path),
            _ => {}
        }
    }

    /// Adds to each fault the origin of its value, or else of the enclosing table.
    pub(super) fn locate(&self, faults: Faults) -> Faults {
        let mut origins = BTreeMap::new();
        self.collect_origins(String::new(), &mut origins);
        faults.with_origins(|path| {
            let mut path = path;
            loop {
                if let Some(origin) = origins.get(path) {
                    return Some((*origin).clone());
                }
                path = &path[..path.rfind(['.', '['])?];
            }
        })
    }

    fn collect_origins<'a>(&'a self, path: String, origins: &mut BTreeMap<String, &'a Origin>) {
        match &self.value {
            Value::Table(table) => {
                for (key, node) in table {
                    node.collect_origins(child_path(&path, key), origins);
                }
            }
            Value::List(list) => {
                for (index, node) in list.iter().enumerate() {
                    node.collect_origins(element_path(&path, index), origins);
                }
            }
            _ => {}
        }
        if let Some(origin) = &self.origin {
            origins.insert(path, origin);
        }
    }
}

fn leads_to(ancestor: &str, path: &str) -> bool {
    path.strip_prefix(ancestor)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn child_path(parent: &str, key: &str) -> String {
    let mut path = parent.to_owned();
    push_key(&mut path, key);
    path
}

fn element_path(parent: &str, index: usize) -> String {
    let mut path = parent.to_owned();
    push_index(&mut path, index);
    path
}
