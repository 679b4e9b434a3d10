//! The cost of a scrape with unused groups, and the memory of used ones.

use std::hint::black_box;
use std::time::Instant;

use criterion::Criterion;
use selfheal::encode::{Format, append};
use selfheal::groups::{
    self, ActionMetrics, ApiMetrics, ErrorMetrics, LlmMetrics, ModelMetrics, NotificationMetrics,
    PipelineMetrics, PlaybookMetrics, StorageMetrics,
};
use selfheal::registry::{Counter, Family, Registry, Text};
use selfheal_benches::{Line, asked_only, fastest};

use crate::TMPDIR;

const GROUP: &str = "a scrape";

/// How the groups of the crate stand in a registry.
type Groups = (&'static str, fn(&Registry));

/// The groups of which every metric has labels are declared by name: those have no series before
/// they are used.
const GROUPS: [Groups; 3] = [
    ("no group", |_| ()),
    (
        "9 groups declared and not used, labels on each metric",
        |registry| {
            macro_rules! declare {
            ($($Group:ident)+) => { $(registry.group::<$Group>().unwrap();)+ };
        }
            declare!(
                ActionMetrics ApiMetrics ErrorMetrics LlmMetrics ModelMetrics NotificationMetrics
                PipelineMetrics PlaybookMetrics StorageMetrics
            );
        },
    ),
    ("all 13 groups declared and not used", |registry| {
        groups::declare_all(registry).unwrap();
    }),
];

/// Scrapes with the groups that `--only NAME [TIMES]` asks for alone, for a profiler to watch; says
/// whether some were asked for.
pub(crate) fn only() -> bool {
    let asked = asked_only();
    let scrapes = asked.and_then(|(name, times)| {
        let groups = GROUPS.iter().find(|(known, _)| *known == name)?;
        Some((groups.1, times))
    });
    if let Some((declare, times)) = scrapes {
        let registry = Registry::new();
        service(&registry);
        declare(&registry);
        let mut page = Vec::new();
        (0..times).for_each(|_| scrape(&registry, &mut page));
    }
    scrapes.is_some()
}

fn scrape(registry: &Registry, page: &mut Vec<u8>) {
    page.clear();
    append(&registry.scrape(), Format::TEXT, page);
    black_box(page);
}

pub(crate) fn lines(criterion: &mut Criterion, wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    let mut lines = Vec::new();
    if !wanted(GROUP) {
        return lines;
    }
    let mut group = criterion.benchmark_group(GROUP);
    let mut bytes = Vec::new();
    for (name, declare) in GROUPS {
        let registry = Registry::new();
        service(&registry);
        declare(&registry);
        let mut page = Vec::new();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                let start = Instant::now();
                (0..times).for_each(|_| scrape(&registry, &mut page));
                start.elapsed()
            });
        });
        bytes.push((name, page.len()));
        let cells = fastest(TMPDIR, GROUP, name).map(|ns| ("selfheal", ns));
        let work = format!("a scrape of 1,000 series, {name}");
        lines.push(Line::new(work, "ns", cells).target("as without a group"));
    }
    group.finish();
    for (name, length) in &bytes {
        let more = (length - bytes[0].1) as f64;
        let work = format!("bytes on the page over no group, {name}");
        lines.push(Line::new(work, "bytes", [("selfheal", more)]).target("0"));
    }
    lines
}

/// The 1,000 series of the service itself.
fn service(registry: &Registry) {
    let own: Family<Counter, [Text; 2]> = registry
        .counter("orders_total", "Orders")
        .labels(["shop", "article"])
        .unwrap();
    for n in 0..1_000 {
        own.inc(&["north", &format!("article-{n}")]);
    }
}
