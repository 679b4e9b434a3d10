//! Files that import each other in a circle: none can be read without all the others.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use crate::lexer::words;
use crate::paths::{absolute, of_children};
use crate::source::{Source, of_files};

/// Where no circle is left but those below.
const FREE: [&str; 7] = [
    "src/handle/",
    "src/healing/",
    "src/history/",
    "src/promql/",
    "src/registry/",
    "src/rules/",
    "src/server/",
];

/// Files that are one thing, and why it stands in several: circles among them are by design.
const BY_DESIGN: [(&str, &[&str]); 3] = [
    (
        "a registry: its fields, and its methods in a file for each concern",
        &[
            "src/registry/about.rs",
            "src/registry/alias.rs",
            "src/registry/collector.rs",
            "src/registry/cost.rs",
            "src/registry/expiry.rs",
            "src/registry/mod.rs",
        ],
    ),
    (
        "a source of series, and the one that rules read without copies of samples",
        &["src/promql/recorded.rs", "src/promql/source.rs"],
    ),
    (
        "the handle: its fields, and its methods in a file for each module that it wires",
        &[
            "src/handle/collect.rs",
            "src/handle/files.rs",
            "src/handle/grpc.rs",
            "src/handle/healed.rs",
            "src/handle/healing.rs",
            "src/handle/health.rs",
            "src/handle/http.rs",
            "src/handle/mod.rs",
            "src/handle/operator.rs",
            "src/handle/ready.rs",
            "src/handle/rules/mod.rs",
            "src/handle/rules/on.rs",
            "src/handle/rules/received.rs",
            "src/handle/rules/recent.rs",
            "src/handle/rules/source.rs",
            "src/handle/rules/unwired.rs",
            "src/handle/rules/wiring.rs",
            "src/handle/system.rs",
            "src/handle/unused.rs",
        ],
    ),
];

/// Circles that are not by design, and those by design that are there no more.
pub(crate) fn unwanted(sources: &[Source]) -> Vec<String> {
    judged(&circles(sources))
}

fn judged(circles: &[Vec<&str>]) -> Vec<String> {
    let free = circles
        .iter()
        .filter(|circle| FREE.iter().any(|folder| circle[0].starts_with(folder)));
    let unknown = free
        .filter(|circle| !BY_DESIGN.iter().any(|(_, known)| is_in(circle, known)))
        .map(|circle| {
            format!(
                "a circle of {} files: {}: move what they share to a file below them",
                circle.len(),
                circle.join(", ")
            )
        });
    let gone = BY_DESIGN
        .iter()
        .filter(|(_, known)| !circles.iter().any(|circle| is_in(circle, known)))
        .map(|(what, _)| {
            format!("{what}: no circle is left in it: strike it from tests/house/circles.rs")
        });
    unknown.chain(gone).collect()
}

fn is_in(circle: &[&str], known: &[&str]) -> bool {
    circle.iter().all(|file| known.contains(file))
}

/// The circles of files, each in the order of their paths.
fn circles(sources: &[Source]) -> Vec<Vec<&str>> {
    let files: Vec<File<'_>> = sources.iter().filter_map(File::new).collect();
    let by_module: HashMap<&[&str], usize> = files
        .iter()
        .enumerate()
        .map(|(at, file)| (&*file.modules, at))
        .collect();
    let edges: Vec<BTreeSet<usize>> = files
        .iter()
        .enumerate()
        .map(|(own, file)| {
            let targets = file.imports.iter().filter_map(|path| {
                let target = home(path, &files, &by_module, 0)?;
                (target != own).then_some(target)
            });
            targets.collect()
        })
        .collect();
    let reach: Vec<BTreeSet<usize>> = (0..files.len()).map(|at| reached(at, &edges)).collect();
    let mut found = BTreeSet::new();
    for at in 0..files.len() {
        let circle = reach[at]
            .iter()
            .filter(|other| reach[**other].contains(&at));
        let circle: Vec<&str> = circle.map(|at| files[*at].path).collect();
        if !circle.is_empty() {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

/// A file as a node: which modules it is, what it imports, and what it hands on.
struct File<'a> {
    path: &'a str,
    modules: Vec<&'a str>,
    imports: Vec<Vec<&'a str>>,
    hands_on: Vec<Vec<&'a str>>,
}

impl<'a> File<'a> {
    fn new(source: &'a Source) -> Option<Self> {
        let modules = source.modules()?;
        let code = &*source.code;
        let mut paths = absolute(code, &modules);
        paths.extend(of_children(code, &modules, &declared(code)));
        // A re-export is not a dependency of the file itself.
        let handing = handing_on(code);
        let (hands_on, imports): (Vec<_>, Vec<_>) = paths
            .into_iter()
            .partition(|(at, _)| handing.iter().any(|range| range.contains(at)));
        let paths = |all: Vec<(usize, Vec<&'a str>)>| all.into_iter().map(|(_, path)| path);
        Some(Self {
            path: &source.path,
            modules,
            imports: paths(imports).collect(),
            hands_on: paths(hands_on).collect(),
        })
    }
}

/// The file that a path leads to: what a module hands on is at home where it is defined.
fn home(
    path: &[&str],
    files: &[File<'_>],
    by_module: &HashMap<&[&str], usize>,
    depth: usize,
) -> Option<usize> {
    let known = (0..=path.len()).rev();
    let (length, at) = known
        .map(|length| (length, by_module.get(&path[..length])))
        .find_map(|(length, at)| Some((length, *at?)))?;
    let rest = &path[length..];
    if let Some(name) = rest.first()
        && depth < 8
    {
        let handed = files[at].hands_on.iter();
        for other in handed.filter(|other| other.last() == Some(name)) {
            let further: Vec<&str> = other.iter().chain(&rest[1..]).copied().collect();
            if further != path {
                return home(&further, files, by_module, depth + 1);
            }
        }
    }
    Some(at)
}

fn reached(from: usize, edges: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut next = vec![from];
    while let Some(at) = next.pop() {
        next.extend(edges[at].iter().filter(|to| seen.insert(**to)));
    }
    seen
}

/// The modules that a file declares.
fn declared(code: &str) -> Vec<&str> {
    let words: Vec<_> = words(code).collect();
    let pairs = words.windows(2).filter_map(|pair| match pair {
        [(_, "mod"), (at, name)] => {
            let declares = code[at + name.len()..].trim_start().starts_with(';');
            declares.then_some(*name)
        }
        _ => None,
    });
    pairs.collect()
}

/// Where the statements `pub use …;` stand.
fn handing_on(code: &str) -> Vec<Range<usize>> {
    let starts = words(code).filter(|(_, word)| *word == "pub");
    let ranges = starts.filter_map(|(at, word)| {
        let rest = code[at + word.len()..].trim_start();
        let rest = match rest.strip_prefix('(') {
            Some(inside) => inside.split_once(')')?.1.trim_start(),
            None => rest,
        };
        let end = rest.strip_prefix("use ")?.find(';')?;
        Some(at..code.len() - rest.len() + "use ".len() + end)
    });
    ranges.collect()
}

fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let sources = of_files(files);
    let found = circles(&sources).into_iter();
    found
        .map(|circle| circle.into_iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn files_that_need_each_other_are_a_circle() {
    let files = [
        (
            "src/a/mod.rs",
            "mod b;\nmod c;\nmod d;\npub use c::C;\nuse self::d::D;",
        ),
        ("src/a/b.rs", "use super::C;"),
        ("src/a/c.rs", "fn f() -> crate::a::b::B {}"),
        ("src/a/d.rs", "use crate::e;\npub(in crate::a) struct D;"),
        ("src/e.rs", "#[cfg(test)]\nuse crate::a::d::D;"),
    ];
    assert_eq!(circles_of(&files), [["src/a/b.rs", "src/a/c.rs"]]);
}

#[test]
fn a_module_and_its_child_can_be_a_circle() {
    let files = [
        ("src/a/b.rs", "use super::A;"),
        ("src/a/mod.rs", "mod b;\nfn f() { b::g() }\nstruct A;"),
    ];
    assert_eq!(circles_of(&files), [["src/a/b.rs", "src/a/mod.rs"]]);
}

#[test]
fn a_circle_is_a_fault_unless_it_is_one_thing_as_a_whole() {
    let whole: Vec<Vec<&str>> = BY_DESIGN.iter().map(|(_, known)| known.to_vec()).collect();
    let with = |changed: &[Vec<&str>]| judged(&[changed, &whole[1..]].concat());
    let registry = &whole[0];
    assert_eq!(with(std::slice::from_ref(registry)), [""; 0]);
    assert_eq!(with(&[registry[..2].to_vec()]), [""; 0], "a part of it");
    assert_eq!(with(&[]).len(), 1, "it is gone");
    let more = [&**registry, &["src/registry/scrape.rs"]].concat();
    assert_eq!(with(&[more]).len(), 2, "one is unknown, one is gone");
    let two = vec!["src/healing/core/hold.rs", "src/healing/core/issue.rs"];
    let found = with(&[registry.clone(), two]);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("src/healing/core/hold.rs, src/healing/core/issue.rs"));
    let elsewhere = vec!["src/assets/a.rs", "src/assets/b.rs"];
    assert_eq!(with(&[registry.clone(), elsewhere]), [""; 0]);
}
