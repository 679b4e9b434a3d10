//! The paths that code writes, from the root of the crate: of `use`, and of names used in place.

use std::ops::Range;

use crate::lexer::words;

/// The names from the root of the crate, and where the path stands.
pub(crate) type Path<'a> = (usize, Vec<&'a str>);

/// Every path that begins at `crate`, `self` or `super`, in a file that is these modules.
/// Braces are opened: `crate::{a, b::{c, d}}` is three paths.
pub(crate) fn absolute<'a>(code: &'a str, modules: &[&'a str]) -> Vec<Path<'a>> {
    let inline = inline_modules(code);
    let mut found = Vec::new();
    let mut after_super = usize::MAX;
    for (at, word) in words(code) {
        // A `super` after another one continues the path of the first.
        if at == after_super || !matches!(word, "crate" | "self" | "super") {
            continue;
        }
        // A visibility is not a dependency: `pub(in crate::a)`.
        if code[..at].ends_with("(in ") {
            continue;
        }
        let Some(mut rest) = after_colons(&code[at + word.len()..]) else {
            continue;
        };
        let mut base = match word {
            "crate" => Vec::new(),
            _ => modules.to_vec(),
        };
        if word != "crate" {
            let around = inline.iter().filter(|(range, _)| range.contains(&at));
            base.extend(around.map(|(_, name)| *name));
        }
        let mut above = word == "super";
        while above {
            base.pop();
            above = false;
            if rest.starts_with("super")
                && let Some(further) = after_colons(&rest["super".len()..])
            {
                after_super = code.len() - rest.len();
                rest = further;
                above = true;
            }
        }
        expand(rest, at, &base, &mut found);
    }
    found
}

/// Every path that begins at one of `names`, the modules that a file of these modules declares.
pub(crate) fn of_children<'a>(
    code: &'a str,
    modules: &[&'a str],
    names: &[&'a str],
) -> Vec<Path<'a>> {
    let mut found = Vec::new();
    for (at, word) in words(code) {
        let first = !code[..at].trim_end().ends_with("::");
        if first
            && names.contains(&word)
            && let Some(rest) = after_colons(&code[at + word.len()..])
        {
            let base: Vec<_> = modules.iter().copied().chain([word]).collect();
            expand(rest, at, &base, &mut found);
        }
    }
    found
}

fn after_colons(code: &str) -> Option<&str> {
    let rest = code.trim_start().strip_prefix("::")?;
    Some(rest.trim_start())
}

/// The paths of a tree, as those of `use`, each after `base`. Gives what follows the tree.
fn expand<'a>(tree: &'a str, at: usize, base: &[&'a str], found: &mut Vec<Path<'a>>) -> &'a str {
    if let Some(mut rest) = tree.strip_prefix('{') {
        loop {
            rest = rest.trim_start().trim_start_matches(',').trim_start();
            if rest.is_empty() {
                return rest;
            }
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let before = rest.len();
            rest = expand(rest, at, base, found);
            // Skips what follows a name, such as `as other`, up to the next one of the group.
            let end = rest.find([',', '}']).unwrap_or(rest.len());
            rest = &rest[end..];
            if rest.len() == before {
                return rest;
            }
        }
    }
    let name = first_name(tree);
    let rest = &tree[name.len()..];
    // A macro is at the root, wherever it is defined.
    if name.is_empty() || rest.starts_with('!') {
        return rest;
    }
    let mut path = base.to_vec();
    if name != "self" {
        path.push(name);
    }
    match after_colons(rest) {
        Some(further) if further.starts_with(|c: char| c == '{' || c == '*' || is_name(c)) => {
            expand(further, at, &path, found)
        }
        _ => {
            found.push((at, path));
            rest
        }
    }
}

fn first_name(path: &str) -> &str {
    if path.starts_with('*') {
        return &path[..1];
    }
    let end = path.find(|c: char| !is_name(c));
    &path[..end.unwrap_or(path.len())]
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The modules whose code stands in braces, and what they reach over; the outer ones first.
fn inline_modules(code: &str) -> Vec<(Range<usize>, &str)> {
    let mut found = Vec::new();
    let words: Vec<_> = words(code).collect();
    for pair in words.windows(2) {
        let [(_, "mod"), (at, name)] = pair else {
            continue;
        };
        let start = at + name.len();
        if !code[start..].trim_start().starts_with('{') {
            continue;
        }
        let mut depth = 0;
        let length = code[start..].bytes().position(|byte| {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            byte == b'}' && depth == 0
        });
        found.push((start..length.map_or(code.len(), |n| start + n), *name));
    }
    found
}

#[cfg(test)]
fn written(code: &str) -> Vec<String> {
    let paths = absolute(code, &["a", "b"]);
    paths.into_iter().map(|(_, path)| path.join("/")).collect()
}

#[test]
fn paths_are_counted_from_the_root() {
    assert_eq!(
        written(
            "use crate::{x::{self, Y as Z, w::*}, v};\nuse super::{c::D, E};\nuse super::super::f;\n\
             use self::child::G;\nfn h() -> super :: I { crate::j::k!() }\npub(in crate::l) struct M;"
        ),
        [
            "x",
            "x/Y",
            "x/w/*",
            "v",
            "a/c/D",
            "a/E",
            "f",
            "a/b/child/G",
            "a/I"
        ]
    );
}

#[test]
fn modules_in_braces_are_a_level_of_their_own() {
    assert_eq!(
        written("mod inner { use super::X; mod deep { use super::super::Y; } }\nuse super::Z;"),
        ["a/b/X", "a/b/Y", "a/Z"]
    );
}

#[test]
fn names_of_child_modules_begin_a_path() {
    let paths = of_children(
        "use c::{D, e::F};\nfn g() { x::c::H; c::i() }",
        &["a"],
        &["c"],
    );
    let paths: Vec<_> = paths.into_iter().map(|(_, path)| path.join("/")).collect();
    assert_eq!(paths, ["a/c/D", "a/c/e/F", "a/c/i"]);
}
