//! No two families of a page have a sample of one name, whatever they are and wherever they are
//! from, and who is left out is left out of every format.

use std::collections::BTreeSet;

use openmetrics_parser::openmetrics::parse_openmetrics;
use proptest::prelude::*;
use selfheal::catalog::{Kind, Native};
use selfheal::encode::{Escaping, Format, append};
use selfheal::registry::{FamilySnapshot, HistogramSnapshot, Number, Registry, Value};

use crate::given;
use crate::proto::decode;

const FORMATS: [Format; 3] = [Format::TEXT, Format::OPEN_METRICS, Format::PROTOBUF];

/// One series of a kind, which knows when it began.
fn family(kind: Kind, name: &str) -> FamilySnapshot {
    let (value, labels) = match kind {
        Kind::Histogram => {
            let value = HistogramSnapshot::classic([1.0], vec![2, 3], 9.0);
            (Value::Histogram(value), String::new())
        }
        Kind::Summary => {
            let quantiles = vec![(0.5, 1.0)];
            let (sum, count) = (1.0, 1);
            let value = Value::Summary {
                quantiles,
                sum,
                count,
            };
            (value, String::new())
        }
        Kind::StateSet => (Value::Number(Number::U64(1)), format!("{name}=\"on\"")),
        _ => (Value::Number(Number::U64(1)), String::new()),
    };
    let name: &'static str = name.to_owned().leak();
    given::family(kind, name, [given::series(&labels, value).created(1.5)])
}

fn page(registry: &Registry, format: Format) -> Vec<u8> {
    let mut page = Vec::new();
    append(&registry.scrape(), format, &mut page);
    page
}

/// The name of each family of a page and those of its samples.
fn names(page: &[u8], format: Format) -> Vec<BTreeSet<String>> {
    if format == Format::PROTOBUF {
        let families = decode(page);
        return families
            .iter()
            .map(|family| {
                let parts: &[&str] = match family.kind() {
                    4 => &["", "_bucket", "_sum", "_count"],
                    2 => &["", "_sum", "_count"],
                    _ => &[""],
                };
                parts
                    .iter()
                    .map(|part| format!("{}{part}", family.name()))
                    .collect()
            })
            .collect();
    }
    let mut families: Vec<BTreeSet<String>> = Vec::new();
    for line in std::str::from_utf8(page).unwrap().lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let name = family.split(' ').next().unwrap();
            families.push(BTreeSet::from([name.to_owned()]));
        } else if !line.starts_with('#') {
            let end = line.find(['{', ' ']).unwrap();
            families.last_mut().unwrap().insert(line[..end].to_owned());
        }
    }
    families
}

fn assert_each_name_has_one_owner(page: &[u8], format: Format) {
    let mut known = BTreeSet::new();
    for family in names(page, format) {
        for name in family {
            let page = String::from_utf8_lossy(page);
            assert!(known.insert(name.clone()), "{name} occurs twice: {page}");
        }
    }
}

/// The names of the families of a page, as the text format has them.
fn exposed(registry: &Registry) -> Vec<String> {
    let scrape = registry.scrape();
    let families = scrape.families().iter();
    let names = families.map(|family| family.name().to_owned());
    names
        .filter(|name| !name.starts_with("selfheal_"))
        .collect()
}

/// The metrics that a registry reports as left out: metric and owner.
fn left_out(registry: &Registry) -> Vec<(String, String)> {
    let families = registry.gather();
    let family = families
        .iter()
        .find(|family| family.def.name == "selfheal_metrics_left_out_total");
    let series = family.into_iter().flat_map(|family| &family.series);
    series
        .map(|series| {
            let labels = selfheal::registry::parse_labels(&series.labels);
            let [(_, metric), (_, owner)] = &labels[..] else {
                panic!("{labels:?}");
            };
            (metric.clone(), owner.clone())
        })
        .collect()
}

#[test]
fn who_comes_second_is_left_out_whole_and_named() {
    use Kind::{Counter, Gauge, Histogram, Info, StateSet, Summary, Unknown};
    for (first, second) in [
        ((Histogram, "job_seconds"), (Gauge, "job_seconds_count")),
        ((Gauge, "job_seconds_count"), (Histogram, "job_seconds")),
        ((Histogram, "a"), (Counter, "a_sum")),
        ((Histogram, "a"), (Unknown, "a_bucket")),
        ((Histogram, "a"), (StateSet, "a_count")),
        ((Summary, "a"), (Info, "a_sum")),
        ((Summary, "a"), (Histogram, "a_count")),
        ((Histogram, "a_bucket"), (Histogram, "a")),
        ((Gauge, "a"), (Counter, "a")),
        ((Info, "a"), (Histogram, "a")),
    ] {
        let registry = given::registry(
            [first, second]
                .map(|(kind, name)| family(kind, name))
                .into(),
        );
        for format in FORMATS {
            assert_each_name_has_one_owner(&page(&registry, format), format);
        }
        assert_eq!(exposed(&registry), [first.1], "{first:?} {second:?}");
        let named = (second.1.to_owned(), first.1.to_owned());
        assert_eq!(left_out(&registry), [named]);
        let scrape = registry.scrape();
        let mut families = scrape.families().iter();
        assert!(families.any(|family| family.name() == "selfheal_collectors_skipped_total"));
    }
}

/// By another library's parser, which takes every suffix that a format adds for part of another
/// metric, and the time at which a summary was created for a quantile: pages with such a family
/// are beyond it.
fn assert_parses(registry: &Registry) {
    let parts = ["_created", "_bucket", "_sum", "_count", "_total", "_info"];
    let page = String::from_utf8(page(registry, Format::OPEN_METRICS)).unwrap();
    let mut types = page.lines().filter(|line| line.starts_with("# TYPE "));
    if types.any(|line| parts.iter().any(|part| line.contains(part)) || line.ends_with(" summary"))
    {
        return;
    }
    let parsed = parse_openmetrics(&page);
    assert!(parsed.is_ok(), "{:?}\n{page}", parsed.err());
}

#[test]
fn what_only_looks_alike_stays() {
    use Kind::{Counter, Gauge, Histogram, Info, Summary};
    for pair in [
        [(Gauge, "jobs"), (Counter, "jobs_total")],
        [(Histogram, "jobs"), (Counter, "jobs_total")],
        [(Counter, "jobs_total"), (Gauge, "jobs_created")],
        [(Counter, "jobs_created_total"), (Counter, "jobs_total")],
        [(Info, "jobs_created_info"), (Histogram, "jobs")],
        [(Info, "jobs_info"), (Counter, "jobs_total")],
        [(Summary, "jobs"), (Gauge, "jobs_bucket")],
        [(Histogram, "job"), (Gauge, "jobs_count")],
        [(Counter, "jobs_count_total"), (Histogram, "jobs")],
    ] {
        let registry = given::registry(pair.map(|(kind, name)| family(kind, name)).into());
        for format in FORMATS {
            assert_each_name_has_one_owner(&page(&registry, format), format);
        }
        assert_eq!(exposed(&registry).len(), 2, "{pair:?}");
        assert_eq!(left_out(&registry), []);
        assert_parses(&registry);
    }
}

#[test]
fn a_name_that_escaping_makes_has_one_owner_too() {
    use Kind::{Gauge, Histogram};
    for (first, second) in [
        ((Histogram, "a.b"), (Gauge, "a_b_count")),
        ((Gauge, "a-b_count"), (Histogram, "a.b")),
        ((Histogram, "a_b"), (Gauge, "a.b_sum")),
    ] {
        let registry = given::registry(
            [first, second]
                .map(|(kind, name)| family(kind, name))
                .into(),
        );
        for format in FORMATS {
            assert_each_name_has_one_owner(&page(&registry, format), format);
        }
        let mut page = Vec::new();
        assert_eq!(
            append(&registry.scrape(), Format::TEXT, &mut page).skipped,
            1
        );
        let utf8 = Format::OPEN_METRICS.with_escaping(Escaping::AllowUtf8);
        assert_eq!(append(&registry.scrape(), utf8, &mut page).skipped, 0);
    }
}

#[test]
fn a_declared_histogram_has_its_names_before_its_first_series() {
    let registry = given::registry(vec![
        family(Kind::Unknown, "job_seconds_count"),
        family(Kind::Unknown, "native_sum"),
    ]);
    let jobs = registry.histogram("job_seconds", "").labels(["job"]);
    let jobs: selfheal::registry::Family<
        selfheal::registry::Histogram,
        [selfheal::registry::Text; 1],
    > = jobs.unwrap();
    let native = registry
        .histogram("native", "")
        .native_only(Native::default());
    native.build().unwrap();
    assert_eq!(exposed(&registry), ["native"]);
    jobs.observe(&["a"], 1.0);
    assert_eq!(exposed(&registry), ["job_seconds", "native"]);
    for format in FORMATS {
        assert_each_name_has_one_owner(&page(&registry, format), format);
    }
}

/// Families whose names are made of the suffixes that formats add.
fn families() -> impl Strategy<Value = Vec<(Kind, String)>> {
    let kinds = [
        Kind::Counter,
        Kind::Gauge,
        Kind::Histogram,
        Kind::Info,
        Kind::StateSet,
        Kind::Summary,
        Kind::Unknown,
    ];
    let suffixes = [
        "", "_total", "_created", "_bucket", "_sum", "_count", "_info",
    ];
    let suffix = || prop::sample::select(suffixes.to_vec());
    let name = (suffix(), suffix()).prop_map(|(first, second)| format!("a{first}{second}"));
    prop::collection::vec((prop::sample::select(kinds.to_vec()), name), 1..12)
}

proptest! {
    #[test]
    fn any_families_come_out_with_one_owner_for_each_name(families in families()) {
        let given = families.iter().map(|(kind, name)| family(*kind, name)).collect();
        let registry = given::registry(given);
        let exposed = exposed(&registry);
        for format in FORMATS {
            let page = page(&registry, format);
            assert_each_name_has_one_owner(&page, format);
            let others = names(&page, format);
            let ours = others.iter().filter(|names| !names.iter().any(|name| name.starts_with("selfheal_")));
            prop_assert_eq!(ours.count(), exposed.len(), "each format has the same families");
        }
        assert_parses(&registry);
    }
}
