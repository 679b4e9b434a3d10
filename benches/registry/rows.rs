//! What is measured, for whom, and what it should come to.

use crate::labels::many::Texts;
use crate::ours;
use crate::peers::{measured, metrics, prometheus, prometheus_client};
use crate::work::{Create, Run, creation_rate, heap_per_series};

pub(crate) type Prepare = fn() -> Run;
pub(crate) type Measure = Box<dyn Fn() -> f64>;
type Measurer = fn(Create) -> f64;

/// A row whose work is repeated and timed by criterion.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    pub(crate) limit: &'static str,
    /// Whether threads get into each other's way.
    pub(crate) contended: bool,
    pub(crate) contenders: Vec<(&'static str, Prepare)>,
}

/// A row that is measured as a whole.
pub(crate) struct Whole {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) target: &'static str,
    pub(crate) limit: &'static str,
    pub(crate) contenders: Vec<(&'static str, Measure)>,
}

const OURS: &str = "selfheal";
/// Ours as it is when the family did not choose stripes.
const PLAIN: &str = "selfheal without stripes";
const PROMETHEUS: &str = "prometheus";
const CLIENT: &str = "prometheus-client";
const METRICS: &str = "metrics + exporter";
const MEASURED: &str = "measured";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = counting();
    rows.extend(observing());
    rows.extend(contended());
    rows
}

fn counting() -> Vec<Row> {
    vec![
        Row {
            name: "increment by handle",
            target: "≤ 6.5",
            limit: "an atomic add",
            contended: false,
            contenders: vec![
                (OURS, ours::handle as Prepare),
                ("an atomic add", ours::atomic_add),
                (PROMETHEUS, prometheus::handle),
                (CLIENT, prometheus_client::handle),
                (METRICS, metrics::handle),
            ],
        },
        Row {
            name: "increment by labels, three texts",
            target: "≤ 15",
            limit: "an atomic add and a hash of the labels",
            contended: false,
            contenders: vec![
                (OURS, ours::texts as Prepare),
                (PROMETHEUS, prometheus::texts),
                (CLIENT, prometheus_client::texts),
                (METRICS, metrics::texts),
                (MEASURED, measured::texts),
            ],
        },
        Row {
            name: "increment by labels, enum, text, enum",
            target: "≤ 15",
            limit: "",
            contended: false,
            contenders: vec![(OURS, ours::mixed as Prepare)],
        },
        Row {
            name: "increment by labels, enums alone",
            target: "≤ 8",
            limit: "an atomic add",
            contended: false,
            contenders: vec![
                (OURS, ours::enums as Prepare),
                (MEASURED, measured::enums),
                (CLIENT, prometheus_client::enums),
            ],
        },
    ]
}

fn observing() -> Vec<Row> {
    vec![
        Row {
            name: "observe, 12 buckets",
            target: "≤ 10",
            limit: "a search and an atomic add",
            contended: false,
            contenders: vec![
                (OURS, ours::observe as Prepare),
                (PROMETHEUS, prometheus::observe),
                (CLIENT, prometheus_client::observe),
                (METRICS, metrics::observe),
                (MEASURED, measured::observe),
            ],
        },
        Row {
            name: "observe, 12 buckets, offering an exemplar each time",
            target: "",
            limit: "a search and an atomic add",
            contended: false,
            contenders: vec![
                (OURS, ours::observe_with_exemplar as Prepare),
                (CLIENT, prometheus_client::observe_with_exemplar),
            ],
        },
        Row {
            name: "observe, native buckets",
            target: "≤ 20",
            limit: "a look-up and an atomic add",
            contended: false,
            contenders: vec![
                (OURS, ours::observe_native as Prepare),
                (CLIENT, prometheus_client::observe_native),
                (METRICS, metrics::observe_native),
            ],
        },
        Row {
            name: "observe, 12 buckets and native ones",
            target: "",
            limit: "",
            contended: false,
            contenders: vec![
                (OURS, ours::observe_both as Prepare),
                (CLIENT, prometheus_client::observe_both),
            ],
        },
    ]
}

fn contended() -> Vec<Row> {
    vec![
        Row {
            name: "two threads, one counter",
            target: "≤ 8",
            limit: "6.4 striped with an atomic add",
            contended: true,
            contenders: vec![
                (OURS, ours::two_striped_counters as Prepare),
                (PLAIN, ours::two_counters),
                (PROMETHEUS, prometheus::two_counters),
                (CLIENT, prometheus_client::two_counters),
                (MEASURED, measured::two_counters),
            ],
        },
        Row {
            name: "two threads, one histogram",
            target: "≤ 15",
            limit: "8 striped with an atomic add",
            contended: true,
            contenders: vec![
                (OURS, ours::two_striped_histograms as Prepare),
                (PLAIN, ours::two_histograms),
                (PROMETHEUS, prometheus::two_histograms),
                (CLIENT, prometheus_client::two_histograms),
                (METRICS, metrics::two_histograms),
                (MEASURED, measured::two_histograms),
            ],
        },
        Row {
            name: "two threads, one histogram, offering an exemplar each time",
            target: "",
            limit: "",
            contended: true,
            contenders: vec![(OURS, ours::two_striped_histograms_with_exemplars as Prepare)],
        },
        Row {
            name: "two threads, one native histogram",
            target: "",
            limit: "",
            contended: true,
            contenders: vec![
                (OURS, ours::two_striped_native_histograms as Prepare),
                (PLAIN, ours::two_native_histograms),
                (CLIENT, prometheus_client::two_native_histograms),
            ],
        },
    ]
}

const CREATE: [(&str, Create); 5] = [
    (OURS, ours::create),
    (PROMETHEUS, prometheus::create),
    (CLIENT, prometheus_client::create),
    (METRICS, metrics::create),
    (MEASURED, measured::create),
];

/// Numbers in place of texts, of which all are known when the family is made: not the same job.
const KNOWN: (&str, Create) = ("measured, all texts known before", measured::create_known);

pub(crate) fn wholes() -> Vec<Whole> {
    fn each(create: &[(&'static str, Create)], measure: Measurer) -> Vec<(&'static str, Measure)> {
        let boxed = |(library, create): &(&'static str, Create)| {
            let create = *create;
            let measure: Measure = Box::new(move || measure(create));
            (*library, measure)
        };
        create.iter().map(boxed).collect()
    }
    let with_known: Vec<_> = CREATE.into_iter().chain([KNOWN]).collect();
    let heap = |name, contenders| Whole {
        name,
        unit: "bytes",
        target: "≤ 120",
        limit: "about 85",
        contenders,
    };
    vec![
        Whole {
            name: "create 1,000,000 series",
            unit: "millions a second",
            target: "≥ 2",
            limit: "",
            contenders: each(&with_known, creation_rate),
        },
        heap(
            "heap for each of 100,000 counters, each with a text of its own",
            each(&CREATE, |create| {
                heap_per_series(create, &Texts::of_their_own(100_000), 100_000)
            }),
        ),
        heap(
            "heap for each of 1,000,000 counters, each with a text of its own",
            each(&CREATE, |create| {
                heap_per_series(create, &Texts::of_their_own(1_000_000), 1_000_000)
            }),
        ),
        heap(
            "heap for each of 100,000 counters, of 5,050 texts",
            each(&with_known, |create| {
                heap_per_series(create, &Texts::shared(), 100_000)
            }),
        ),
        heap(
            "heap for each of 1,000,000 counters, of 5,050 texts",
            each(&with_known, |create| {
                heap_per_series(create, &Texts::shared(), 1_000_000)
            }),
        ),
    ]
}
