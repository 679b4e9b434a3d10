//! The layers of the crate: a room imports only from rooms below it.

use crate::lexer::words;
use crate::source::{Source, of_files};

/// From the ground up. Rooms in one layer do not import each other.
const LAYERS: [&[&str]; 13] = [
    &["error", "util"],
    &["catalog", "health"],
    &["config"],
    &["registry"],
    // What all layers of HTTP and gRPC say of a request to the histograms, and what queries read.
    &["trace", "history"],
    // The life of one request or call, which they share.
    &["exchange"],
    &[
        "encode", "http", "grpc", "track", "collect", "interop", "promql",
    ],
    &["groups"],
    // Feeds the metrics of outgoing calls, which `groups` declares.
    // Rules ask queries of the history.
    &["http_client", "rules"],
    &["healing"],
    // What is generated has the rules of objectives in it.
    &["server", "assets"],
    &["handle", "testing"],
    &["lib"],
];

/// What breaks the layers. Test code may look anywhere.
pub(crate) fn broken(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let Some(modules) = source.modules() else {
            continue;
        };
        let room = modules.first().copied().unwrap_or("lib");
        let Some(layer) = layer_of(room) else {
            found.push(format!(
                "{}: the room `{room}` is in no layer: give it its place in LAYERS of \
                 tests/house/layers.rs",
                source.path
            ));
            continue;
        };
        for (at, target) in imports(&source.code, modules.len()) {
            let place = source.place(at);
            match layer_of(target) {
                _ if target == room => {}
                Some(below) if below < layer => {}
                Some(other) => found.push(format!(
                    "{place}: `{room}` (layer {layer}) imports `{target}` (layer {other}): a room \
                     imports only from below"
                )),
                None => found.push(format!(
                    "{place}: `{target}` of the crate's root is no known room: import a name from \
                     the room that defines it"
                )),
            }
        }
    }
    found
}

fn layer_of(room: &str) -> Option<usize> {
    LAYERS.iter().position(|rooms| rooms.contains(&room))
}

/// The names that code asks of the root of the crate, by `crate::` or by enough `super::`.
fn imports(code: &str, depth: usize) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut supers = 0;
    for (at, word) in words(code) {
        let after = &code[at + word.len()..];
        let path = after.trim_start().strip_prefix("::").map(str::trim_start);
        supers = if word == "super" { supers + 1 } else { 0 };
        let Some(path) = path else {
            continue;
        };
        // A macro stands at the root, wherever it is defined.
        if path[first_name(path).len()..].starts_with('!') {
            continue;
        }
        let names = first_names(path);
        if word == "crate" {
            found.extend(names.into_iter().map(|name| (at, name)));
        } else if supers > 0 && supers >= depth {
            // A module in braces makes the path deeper than the file is, so that the name may
            // be one of the file; if it is that of a room, it is taken for the room.
            let rooms = names.into_iter().filter(|name| layer_of(name).is_some());
            found.extend(rooms.map(|name| (at, name)));
        }
    }
    found
}

/// The first name of a path, or of each path in its braces.
fn first_names(path: &str) -> Vec<&str> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![first_name(path)];
    };
    let mut names = vec![first_name(group)];
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(first_name(&group[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names.retain(|name| !matches!(*name, "" | "self"));
    names
}

fn first_name(path: &str) -> &str {
    let path = path.trim_start();
    if path.starts_with('*') {
        return "*";
    }
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_');
    &path[..end.unwrap_or(path.len())]
}

fn faults(path: &str, text: &str) -> Vec<String> {
    broken(&of_files(&[(path, text)]))
}

#[test]
fn imports_from_below_and_from_the_own_room_are_fine() {
    let text = "//! See [`crate::server`].\nuse crate::catalog::MetricDef;\n\
        use crate::{registry::{Registry, Group}, util::Clock};\nuse super::kinds;\n\
        pub(crate) fn f() -> &'static str { crate::track::g(\"crate::server\") }\n\
        crate::group! {}\n#[cfg(test)]\nmod tests { use crate::encode::text; }";
    assert_eq!(faults("src/track/mod.rs", text), [""; 0]);
}

#[test]
fn imports_from_above_or_beside_are_faults() {
    for text in [
        "use crate::server::Listener;",
        "use crate::{registry::Registry, server::{Listener, Tls}};",
        "use crate::encode;",
        "fn f() { crate :: healing :: run() }",
        "use super::super::encode::text;",
        "macro_rules! m { () => { $crate::handle::Selfheal } }",
    ] {
        let faults = faults("src/track/kind.rs", text);
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert!(
            faults[0].starts_with("src/track/kind.rs:1: `track` (layer 6) imports"),
            "{faults:?}"
        );
    }
}

#[test]
fn going_through_the_root_is_a_fault() {
    for text in [
        "use crate::Registry;",
        "use crate::*;",
        "use crate::{util, Config as C};",
    ] {
        let faults = faults("src/track/kind.rs", text);
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert!(faults[0].contains("is no known room"), "{faults:?}");
    }
}

#[test]
fn an_unknown_room_is_a_fault_with_a_hint() {
    for path in ["src/attic/mod.rs", "src/attic/deep/box.rs", "src/attic.rs"] {
        let faults = faults(path, "");
        assert_eq!(faults.len(), 1, "{path}");
        assert!(
            faults[0].contains("`attic` is in no layer: give it its place"),
            "{faults:?}"
        );
    }
}
