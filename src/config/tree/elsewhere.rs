//! Finds the section to which a misplaced key belongs, such as `namespace` below `[metrics]`.

use super::{ANY_NAME, Node, Value, child_path};

/// The path of a setting or of a section.
pub(super) struct Place {
    /// Such as `http.sample_rate`.
    pub(super) path: String,
    is_section: bool,
}

/// The place of `key` in `whole`, if there is exactly one.
pub(super) fn place(whole: &Node, key: &str) -> Option<Place> {
    let mut places = Vec::new();
    search(whole, "", key, &mut places);
    match places.len() {
        1 => places.pop(),
        _ => None,
    }
}

fn search(node: &Node, path: &str, key: &str, places: &mut Vec<Place>) {
    let Value::Table(table) = &node.value else {
        return;
    };
    for (name, child) in table.iter().filter(|(name, _)| *name != ANY_NAME) {
        let path = child_path(path, name);
        if name == key {
            places.push(Place {
                path: path.clone(),
                is_section: matches!(child.value, Value::Table(_)),
            });
        }
        search(child, &path, key, places);
    }
}

impl Place {
    /// A hint for authors of TOML.
    pub(super) fn hint(&self) -> String {
        let path = &self.path;
        if self.is_section {
            return format!("did you mean the section `[{path}]`?");
        }
        match path.rsplit_once('.') {
            Some((section, key)) => format!("did you mean `{key}` in the section `[{section}]`?"),
            None => format!("did you mean `{path}` at the top, before the first section?"),
        }
    }
}
