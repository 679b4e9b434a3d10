//! Merges the environment into a tree: `SELFHEAL_HTTP__SAMPLE_RATE` is `http.sample_rate`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::links::is_service_link;
use super::{ANY_NAME, Node, Table, Value, child_path};
use crate::config::faults::{Fault, Faults, Origin, push_key, quote};
use crate::util::{BoundedStr, nearest};

/// The prefix of every variable of this crate.
const PREFIX: &str = "SELFHEAL_";
pub(super) const SEPARATOR: &str = "__";
/// Longer than any setting's name; the bounds keep messages short and limit recursion.
const MAX_NAME: usize = 512;
const MAX_DEPTH: usize = 16;

/// Merges the `variables` that start with [`PREFIX`] into `root`, except those that Kubernetes sets
/// for a Service of that name.
pub(in crate::config) fn overlay(
    root: &mut Node,
    variables: &BTreeMap<OsString, OsString>,
    faults: &mut Faults,
) {
    for (name, value) in variables {
        if !name.as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        let inserted = match (name.to_str(), value.to_str()) {
            (Some(name), Some(value)) if is_service_link(&name[PREFIX.len()..], value) => continue,
            (Some(name), Some(value)) => insert(root, name, value),
            _ => Err(("the variable is not UTF-8".to_owned(), "set it to UTF-8")),
        };
        if let Err((problem, hint)) = inserted {
            let shown = BoundedStr::<MAX_NAME>::new(&name.to_string_lossy());
            let mut path = String::new();
            keys(shown.as_str()).for_each(|key| push_key(&mut path, &key));
            faults.push(Fault {
                path,
                problem,
                hint: hint.to_owned(),
                origin: Some(Origin::Variable(shown.to_string())),
            });
        }
    }
}

fn keys(name: &str) -> impl Iterator<Item = String> {
    name.strip_prefix(PREFIX)
        .unwrap_or(name)
        .split(SEPARATOR)
        .map(str::to_ascii_lowercase)
}

/// Variables are sorted by name, so a table comes before its keys.
fn insert(root: &mut Node, name: &str, value: &str) -> Result<(), (String, &'static str)> {
    const HOW: &str = "write SELFHEAL_SECTION__KEY, such as SELFHEAL_HTTP__SAMPLE_RATE";
    if name.len() > MAX_NAME || keys(name).count() > MAX_DEPTH {
        return Err(("no setting has a name of that length".to_owned(), HOW));
    }
    if keys(name).any(|key| key.is_empty()) {
        return Err(("a key is missing between the underscores".to_owned(), HOW));
    }
    let origin = Origin::Variable(name.to_owned());
    let mut node = root;
    for key in keys(name) {
        if let (Value::Variable(_), Some(Origin::Variable(whole))) = (&node.value, &node.origin) {
            let problem = format!("{} is set as well", quote(whole));
            return Err((problem, "set the whole or its keys, not both"));
        }
        if !matches!(node.value, Value::Table(_)) {
            node.value = Value::Table(Table::new());
            node.origin = Some(origin.clone());
        }
        let Value::Table(table) = &mut node.value else {
            return Ok(());
        };
        node = table.entry(key).or_insert_with(|| Value::Null.into());
    }
    node.value = Value::Variable(value.to_owned());
    node.origin = Some(origin);
    Ok(())
}

/// A variable found in a tree.
pub(super) struct Found<'a> {
    pub(super) path: String,
    pub(super) name: &'a str,
    /// The number of keys in its name before that of the searched node.
    depth: usize,
}

/// The variables in and below the `node` at `path`.
pub(super) fn variables<'a>(node: &'a Node, path: &str) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    search(node, path.to_owned(), 1, &mut found);
    found
}

fn search<'a>(node: &'a Node, path: String, levels: usize, found: &mut Vec<Found<'a>>) {
    if let Value::Table(table) = &node.value {
        for (key, child) in table {
            search(child, child_path(&path, key), levels + 1, found);
        }
    }
    if let (Value::Variable(_), Some(Origin::Variable(name))) = (&node.value, &node.origin) {
        let depth = keys(name).count().saturating_sub(levels);
        found.push(Found { path, name, depth });
    }
}

/// Returns a hint for an unknown variable; `known` has every setting, and `place` is where the
/// unknown key belongs, if it is unique. Only an existing variable is named.
pub(super) fn hint(variable: &Found<'_>, place: Option<&str>, known: &Node) -> Option<String> {
    let wanted: Vec<String> = match place {
        Some(place) => {
            let below = keys(variable.name).skip(variable.depth + 1);
            place.split('.').map(str::to_owned).chain(below).collect()
        }
        None => keys(variable.name).collect(),
    };
    let mut meant = Vec::new();
    match resolve(known, &wanted, &mut meant) {
        Ok(()) => {
            let name = meant.join(SEPARATOR).to_ascii_uppercase();
            Some(format!("did you mean `{PREFIX}{name}`?"))
        }
        // The hint could only list the keys of this section, whose order the caller knows.
        Err(_) if meant.len() <= variable.depth => None,
        Err(keys) => {
            let (section, keys) = (meant.join("."), keys.join("`, `"));
            Some(format!("the keys of `{section}` are `{keys}`"))
        }
    }
}

/// Finds the setting nearest to the `wanted` keys, or else the keys of the last section found.
/// `meant` is the path to it.
fn resolve<'a>(
    known: &'a Node,
    wanted: &[String],
    meant: &mut Vec<String>,
) -> Result<(), Vec<&'a str>> {
    let Value::Table(table) = &known.value else {
        // A leaf: the rest of the name is ignored.
        return Ok(());
    };
    let fields: Vec<&str> = if table.contains_key("redacted") {
        vec!["env", "file"]
    } else {
        table.keys().map(String::as_str).collect()
    };
    let Some((key, below)) = wanted.split_first() else {
        return if fields.is_empty() || table.contains_key("redacted") {
            Ok(())
        } else {
            Err(fields)
        };
    };
    if let [] | [ANY_NAME] = fields[..] {
        // The entry of a map can have any name.
        meant.push(key.clone());
        return table
            .get(ANY_NAME)
            .map_or(Ok(()), |entry| resolve(entry, below, meant));
    }
    // A single underscore instead of two is the most likely mistake.
    let split = |field: &&'a str| {
        let rest = key.strip_prefix(*field)?.strip_prefix('_')?;
        let is_section = matches!(table.get(*field)?.value, Value::Table(_));
        (is_section && !rest.is_empty()).then(|| (*field, rest.to_owned()))
    };
    let (field, rest) = if fields.contains(&key.as_str()) {
        (key.as_str(), None)
    } else if let Some((field, rest)) = fields.iter().find_map(split) {
        (field, Some(rest))
    } else if let Some(near) = nearest(key, fields.iter().copied()) {
        (near, None)
    } else {
        return Err(fields);
    };
    meant.push(field.to_owned());
    let below: Vec<String> = rest.into_iter().chain(below.iter().cloned()).collect();
    table
        .get(field)
        .map_or(Ok(()), |child| resolve(child, &below, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(pairs: &[(&str, &str)]) -> (Node, Faults) {
        let mut root = Node::table();
        let mut faults = Faults::new();
        let variables = pairs
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        overlay(&mut root, &variables, &mut faults);
        (root, faults)
    }

    #[test]
    fn only_our_variables_count() {
        let (root, faults) = tree(&[("PATH", "/bin"), ("SELFHEALING", "x"), ("XSELFHEAL_A", "x")]);
        assert!(matches!(root.value, Value::Table(table) if table.is_empty()));
        assert!(faults.is_empty());
    }

    #[test]
    fn a_whole_and_its_key_clash() {
        let (_, faults) = tree(&[("SELFHEAL_A__B", "1"), ("SELFHEAL_A", "b=2")]);
        assert_eq!(
            faults.to_string(),
            "a.b (SELFHEAL_A__B): `SELFHEAL_A` is set as well; set the whole or its keys, not both"
        );
    }

    #[test]
    fn gaps_are_reported() {
        let (_, faults) = tree(&[
            ("SELFHEAL_", "1"),
            ("SELFHEAL_A____B", "2"),
            ("SELFHEAL_A__", "3"),
        ]);
        assert_eq!(faults.len(), 3, "{faults}");
        let (deep, long) = (
            format!("SELFHEAL_A{}", "__A".repeat(40_000)),
            "X".repeat(100_000),
        );
        let (root, faults) = tree(&[(&deep, "1"), (&format!("SELFHEAL_{long}"), "2")]);
        assert!(matches!(root.value, Value::Table(table) if table.is_empty()));
        assert_eq!(faults.len(), 2);
        assert!(faults.to_string().len() < 4_000);
    }
}
