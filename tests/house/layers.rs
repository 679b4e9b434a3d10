//! The layers of the crate: a module imports only from modules below it.

use std::collections::HashSet;

use crate::paths::absolute;
use crate::source::{Source, of_files};

/// From the ground up. Modules in one layer do not import each other.
const LAYERS: [&[&str]; 13] = [
    &["error", "util"],
    &["catalog", "health"],
    &["config"],
    &["registry"],
    // Shared by all layers of HTTP and gRPC, and read by queries.
    &["trace", "history"],
    // The life of one request or call, which both share.
    &["exchange"],
    &[
        "encode", "http", "grpc", "track", "collect", "interop", "promql",
    ],
    &["groups"],
    // Feeds the metrics of outgoing calls, which `groups` declares.
    // Rules evaluate queries over the history.
    &["http_client", "rules"],
    &["healing"],
    // The generated files contain the rules of objectives.
    &["server", "assets"],
    &["handle", "testing"],
    &["lib"],
];

/// The walls inside a module, from the ground up: which module, and the layers of what is in it.
const INSIDE: [(&[&str], &[&[&str]]); 3] = [
    (
        &["healing"],
        &[
            // The vocabulary, and the state machine that decides.
            &["core"],
            &["engine"],
            &["journal"],
            &["runtime"],
            &["builtin"],
            &["guide", "threat_model"],
        ],
    ),
    (&["healing", "builtin"], &[&["tasks", "files"]]),
    (
        &["registry"],
        &[
            &[
                "error",
                "exponential",
                "groups",
                "labels",
                "rejected",
                "rendered",
                "series_id",
                "sync",
            ],
            &["allowed", "check", "http_values", "snapshot", "values"],
            // Creation times and exemplars of series.
            &["notes"],
            &["storage"],
            &["metric", "settings"],
            &["family"],
            &["recording", "scrape_family"],
            &["owners"],
            // Defined at the top, where the registry's fields are.
            &["Entry", "Inner", "Registered", "Registry"],
            // Its methods, in a file for each concern.
            &["alias", "expiry", "group", "sample"],
            &["collector", "dynamic"],
            &["bridge", "cost", "declare", "figures"],
            &["about"],
            &["scrape", "unused", "unwind"],
            &["model", "tests"],
        ],
    ),
];

/// Imports that break the layers. Test code may import anything.
pub(crate) fn broken(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let Some(modules) = source.modules() else {
            continue;
        };
        let imports = absolute(&source.code, &modules);
        for (of, layers) in [(&[][..], &LAYERS[..])].into_iter().chain(INSIDE) {
            let inside = modules.strip_prefix(of);
            // The top module re-exports from all others.
            let (Some(inside), true) = (inside, of.is_empty() || inside.is_some_and(is_module))
            else {
                continue;
            };
            let whose = match of {
                [] => "the crate's root".to_owned(),
                of => format!("`{}`", of.join("::")),
            };
            let layer_of = |module| layers.iter().position(|modules| modules.contains(&module));
            let module = inside.first().copied().unwrap_or("lib");
            let Some(layer) = layer_of(module) else {
                found.push(format!(
                    "{}: the module `{module}` is in no layer of {whose}: give it its place in \
                     tests/house/layers.rs",
                    source.path
                ));
                continue;
            };
            // Names of one module in one statement are one import.
            let mut seen = HashSet::new();
            for (at, path) in &imports {
                let Some([target, ..]) = path.strip_prefix(of) else {
                    continue;
                };
                // What a macro writes, it writes elsewhere.
                let elsewhere = !of.is_empty() && source.code[..*at].ends_with('$');
                if elsewhere || !seen.insert((at, target)) {
                    continue;
                }
                let place = source.place(*at);
                match layer_of(target) {
                    _ if *target == module => {}
                    Some(below) if below < layer => {}
                    Some(other) => found.push(format!(
                        "{place}: `{module}` (layer {layer}) imports `{target}` (layer {other}): a \
                         module imports only from below"
                    )),
                    None => found.push(format!(
                        "{place}: `{target}` of {whose} is not a known module: import a name from the \
                         module that defines it"
                    )),
                }
            }
        }
    }
    found
}

fn is_module(inside: &[&str]) -> bool {
    !inside.is_empty()
}

fn faults(path: &str, text: &str) -> Vec<String> {
    broken(&of_files(&[(path, text)]))
}

#[test]
fn imports_from_below_and_from_the_own_module_are_fine() {
    let text = "//! See [`crate::server`].\nuse crate::catalog::MetricDef;\n\
        use crate::{registry::{Registry, Group}, util::Clock};\nuse self::kinds;\n\
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
        assert!(faults[0].contains("is not a known module"), "{faults:?}");
    }
}

#[test]
fn an_unknown_module_is_a_fault_with_a_hint() {
    for path in ["src/attic/mod.rs", "src/attic/deep/box.rs", "src/attic.rs"] {
        let faults = faults(path, "");
        assert_eq!(faults.len(), 1, "{path}");
        assert!(
            faults[0].contains("`attic` is in no layer of the crate's root: give it its place"),
            "{faults:?}"
        );
    }
}

#[test]
fn walls_inside_a_module_hold_as_those_between_modules() {
    let inner = |path: &str, text: &str| {
        let faults = faults(path, text);
        assert!(faults.len() < 2, "{faults:?}");
        faults.into_iter().next().unwrap_or_default()
    };
    for (path, text) in [
        (
            "src/healing/journal/line.rs",
            "use crate::healing::core::Record;",
        ),
        ("src/healing/journal/line.rs", "use super::store::Store;"),
        (
            "src/healing/builtin/mod.rs",
            "use super::runtime::Healing; use files::X;",
        ),
        (
            "src/healing/mod.rs",
            "pub use self::builtin::Restart; use crate::healing::runtime::R;",
        ),
        (
            "src/handle/mod.rs",
            "use crate::healing::{Alert, runtime::Blind};",
        ),
        (
            "src/registry/figures.rs",
            "use super::Registry; use super::collector::Collector;",
        ),
        (
            "src/registry/labels.rs",
            "macro_rules! m { () => { $crate::registry::LabelValue } }",
        ),
    ] {
        assert_eq!(inner(path, text), "", "{path}: {text}");
    }
    for (path, text, fault) in [
        (
            "src/healing/core/escalate.rs",
            "use crate::healing::{core::Hold, runtime::Blind};",
            "`core` (layer 0) imports `runtime` (layer 3)",
        ),
        (
            "src/healing/engine/context.rs",
            "use super::super::journal;",
            "`engine` (layer 1) imports `journal` (layer 2)",
        ),
        (
            "src/healing/builtin/files/watch/mod.rs",
            "fn f() { crate::healing::builtin::tasks::g() }",
            "`files` (layer 0) imports `tasks` (layer 0)",
        ),
        (
            "src/healing/runtime/alerts.rs",
            "use crate::healing::Alert;",
            "`Alert` of `healing` is not a known module",
        ),
        (
            "src/registry/storage/view.rs",
            "use crate::registry::metric::Metric;",
            "`storage` (layer 3) imports `metric` (layer 4)",
        ),
        (
            "src/registry/metric/counter.rs",
            "use crate::registry::{family::Family, labels::Labels};",
            "`metric` (layer 4) imports `family` (layer 5)",
        ),
        (
            "src/registry/scrape.rs",
            "use super::FamilySnapshot;",
            "`FamilySnapshot` of `registry` is not a known module",
        ),
        (
            "src/healing/attic.rs",
            "",
            "the module `attic` is in no layer of `healing`",
        ),
    ] {
        let found = inner(path, text);
        assert!(found.contains(fault), "{path}: {text}: {found}");
    }
}
