//! Parses the fields of a test file.

use crate::rules::parse_duration;
use crate::rules::yaml::{Kind, Node};

/// The parsed value, or the problem and its location.
pub(super) type Read<T> = Result<T, String>;

pub(super) fn at(node: &Node, wrong: &str) -> String {
    format!("{}: {wrong}", node.place)
}

pub(super) fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Kind::Map(entries) = &node.kind else {
        return None;
    };
    let found = entries.iter().find(|(key, _)| &*key.text == name);
    let found = found.map(|(_, node)| node);
    found.filter(|node| !matches!(&node.kind, Kind::Scalar(text) if text.is_null()))
}

pub(super) fn known_fields(node: &Node, known: &[&str]) -> Read<()> {
    let Kind::Map(entries) = &node.kind else {
        return Err(at(node, "this is a map of fields"));
    };
    match entries.iter().find(|(key, _)| !known.contains(&&*key.text)) {
        None => Ok(()),
        Some((key, _)) => Err(format!(
            "{}: there is no field `{}`; the fields are {}",
            key.place,
            key.text,
            known.join(", ")
        )),
    }
}

pub(super) fn list<'n>(node: &'n Node, name: &str) -> Read<&'n [Node]> {
    match field(node, name) {
        None => Ok(&[]),
        Some(node) => match &node.kind {
            Kind::List(list) => Ok(list),
            _ => Err(at(node, &format!("`{name}` is a list"))),
        },
    }
}

pub(super) fn text(node: &Node, name: &str) -> Read<Option<String>> {
    match field(node, name) {
        None => Ok(None),
        Some(node) => match &node.kind {
            Kind::Scalar(text) => Ok(Some(text.text.to_string())),
            _ => Err(at(node, &format!("`{name}` is a text"))),
        },
    }
}

pub(super) fn needed(node: &Node, name: &str) -> Read<String> {
    text(node, name)?.ok_or_else(|| at(node, &format!("`{name}` is missing")))
}

pub(super) fn texts(node: &Node, name: &str) -> Read<Vec<String>> {
    let each = list(node, name)?.iter().map(|node| match &node.kind {
        Kind::Scalar(text) => Ok(text.text.to_string()),
        _ => Err(at(node, &format!("`{name}` is a list of texts"))),
    });
    each.collect()
}

/// Parses a duration to milliseconds.
pub(super) fn duration(node: &Node, name: &str) -> Read<Option<i64>> {
    let Some(written) = text(node, name)? else {
        return Ok(None);
    };
    let parsed = parse_duration(&written);
    let millis = parsed.and_then(|duration| i64::try_from(duration.as_millis()).ok());
    match millis {
        Some(millis) => Ok(Some(millis)),
        None => Err(at(
            node,
            &format!("`{written}` of `{name}` is not a duration"),
        )),
    }
}

pub(super) fn map(node: &Node, name: &str) -> Read<Vec<(String, String)>> {
    let Some(node) = field(node, name) else {
        return Ok(Vec::new());
    };
    let Kind::Map(entries) = &node.kind else {
        return Err(at(node, &format!("`{name}` is a map of texts")));
    };
    let each = entries.iter().map(|(key, value)| match &value.kind {
        Kind::Scalar(text) => Ok((key.text.to_string(), text.text.to_string())),
        _ => Err(at(value, "this is a text")),
    });
    each.collect()
}
