//! What holds for a page, whatever a collector hands over: shared by the fuzz target and the
//! tests of every day.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use openmetrics_parser::openmetrics::parse_openmetrics;
use selfheal::catalog::{Kind, MetricDef};
use selfheal::encode::{Escaping, Format, append};
use selfheal::registry::{
    Collector, FamilySnapshot, Number, Registry, SeriesSnapshot, Settings, Value, parse_labels,
};

const KINDS: [Kind; 4] = [Kind::Gauge, Kind::Counter, Kind::Unknown, Kind::Info];

/// Families of one series each, as if another library had made them: the name, the labels as they
/// stand between the braces, and the kind.
struct Given(BTreeMap<String, (String, Kind)>);

impl Given {
    /// Each line is a name and, behind a space, labels; U+2028 stands for a line feed in them.
    fn read(input: &str) -> Self {
        let mut families = BTreeMap::new();
        for (at, line) in input.split('\n').take(50).enumerate() {
            let (name, labels) = line.split_once(' ').unwrap_or((line, ""));
            let labels = labels.replace('\u{2028}', "\n");
            families.insert(name.to_owned(), (labels, KINDS[at % KINDS.len()]));
        }
        Self(families)
    }
}

impl Collector for Given {
    fn describe(&self) -> Vec<MetricDef> {
        Vec::new()
    }

    fn collect(&self, out: &mut Vec<FamilySnapshot>) {
        for (name, (labels, kind)) in &self.0 {
            let mut series = SeriesSnapshot::new([], Value::Number(Number::U64(1)));
            series.labels = labels.as_str().into();
            out.push(FamilySnapshot {
                def: Arc::new(MetricDef::new(*kind, name.clone(), name.clone())),
                series: vec![series],
            });
        }
    }
}

/// Every series is on the page or counted as left out, a line of the page is one of them or
/// metadata, and a parser that is not ours finds the same.
pub(crate) fn exposition(input: &str) {
    let given = Arc::new(Given::read(input));
    let mut settings = Settings::default();
    settings.global_labels.insert("zone".into(), "z".into());
    let registry = Registry::with_settings(settings);
    let collector = Arc::clone(&given) as Arc<dyn Collector>;
    registry.collect_from(collector).unwrap();
    let scrape = registry.scrape();
    let open = |escaping| Format::OPEN_METRICS.with_escaping(escaping);
    for format in [
        Format::TEXT,
        Format::TEXT_1.with_escaping(Escaping::AllowUtf8),
        open(Escaping::Underscores),
        open(Escaping::Dots),
        open(Escaping::Values),
        open(Escaping::AllowUtf8),
        Format::PROTOBUF,
    ] {
        let mut page = Vec::new();
        let written = append(&scrape, format, &mut page);
        assert_eq!(written.series + written.skipped, given.0.len() as u64);
        if format == Format::PROTOBUF {
            continue;
        }
        let page = String::from_utf8(page).unwrap();
        let samples = || {
            page.split_terminator('\n')
                .filter(|line| !line.starts_with("# "))
        };
        assert_eq!(samples().count() as u64, written.series, "{page}");
        assert!(samples().all(|line| line.ends_with("} 1")), "{page}");
        if page.ends_with("# EOF\n") && written.series > 0 && legible(&page) {
            let utf8 = format == open(Escaping::AllowUtf8);
            read_back(&with_series(&page), written.series, utf8.then_some(&given));
        }
    }
}

/// Whether the parser can be expected to read the page: it takes a carriage return for the end
/// of a line, and takes a suffix off a name as often as it is there.
fn legible(page: &str) -> bool {
    let twice = ["_total_total", "_info_info"];
    !page.contains('\r') && !twice.iter().any(|name| page.contains(name))
}

/// The page without the metadata of families that have no series left, of which the parser can
/// read only one in a row.
fn with_series(page: &str) -> String {
    let blocks = page
        .split_inclusive('\n')
        .fold(Vec::new(), |mut blocks, line| {
            if line.starts_with("# HELP ") || line == "# EOF\n" {
                blocks.push(String::new());
            }
            if let Some(block) = blocks.last_mut() {
                block.push_str(line);
            }
            blocks
        });
    let kept =
        |block: &String| block == "# EOF\n" || block.lines().any(|line| !line.starts_with("# "));
    blocks.into_iter().filter(kept).collect()
}

/// The parser finds all series; with `names` as they were, those and the labels too.
fn read_back(page: &str, series: u64, names: Option<&Arc<Given>>) {
    let families = parse_openmetrics(page).unwrap_or_else(|error| panic!("{error}\n{page}"));
    let with_series = families
        .families
        .values()
        .filter(|family| family.iter_samples().count() == 1);
    assert_eq!(with_series.count() as u64, series, "{page}");
    let Some(given) = names else { return };
    for (name, family) in &families.families {
        let whole = ["", "_total", "_info"].map(|suffix| given.0.get(&format!("{name}{suffix}")));
        let candidates = whole.into_iter().flatten();
        for sample in family.iter_samples() {
            let found = sample.get_labelset().unwrap();
            let found: BTreeSet<_> = found.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
            let mut same = candidates.clone().filter(|(labels, _)| {
                let mut labels: BTreeSet<_> = parse_labels(labels).into_iter().collect();
                if !labels.iter().any(|(name, _)| name == "zone") {
                    labels.insert(("zone".to_owned(), "z".to_owned()));
                }
                labels == found
            });
            assert!(same.next().is_some(), "{name:?} with {found:?}\n{page}");
        }
    }
}
