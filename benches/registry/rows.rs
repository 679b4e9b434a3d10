//! The measurements, their contenders and their targets.

use crate::labels::many::Texts;
use crate::ours;
use crate::peers::{measured, metrics, metriken, prometheus, prometheus_client};
use crate::work::{Create, Run, creation_rate, heap_per_series};

type Contenders<T> = &'static [(&'static str, T)];

/// A row whose work is repeated and timed by criterion.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    pub(crate) limit: &'static str,
    /// Whether threads get into each other's way.
    pub(crate) contended: bool,
    pub(crate) contenders: Contenders<fn() -> Run>,
}

/// A row that is measured as a whole.
pub(crate) struct Whole {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) target: &'static str,
    pub(crate) limit: &'static str,
    pub(crate) contenders: Contenders<Create>,
    pub(crate) measure: fn(Create) -> f64,
}

const OURS: &str = "selfheal";
/// Ours as it is when the family did not choose stripes.
const PLAIN: &str = "selfheal without stripes";
const PROMETHEUS: &str = "prometheus";
const CLIENT: &str = "prometheus-client";
const METRICS: &str = "metrics + exporter";
const MEASURED: &str = "measured";
const METRIKEN: &str = "metriken";

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "increment by handle",
        target: "≤ 6.5",
        limit: "an atomic add",
        contended: false,
        contenders: &[
            (OURS, ours::handle),
            ("an atomic add", ours::atomic_add),
            (PROMETHEUS, prometheus::handle),
            (CLIENT, prometheus_client::handle),
            (METRICS, metrics::handle),
            (METRIKEN, metriken::handle),
        ],
    },
    Row {
        name: "increment by labels, three texts",
        target: "≤ 15",
        limit: "an atomic add and a hash of the labels",
        contended: false,
        contenders: &[
            (OURS, ours::texts),
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
        contenders: &[(OURS, ours::mixed)],
    },
    Row {
        name: "increment by labels, enums alone",
        target: "≤ 8",
        limit: "an atomic add",
        contended: false,
        contenders: &[
            (OURS, ours::enums),
            (MEASURED, measured::enums),
            (CLIENT, prometheus_client::enums),
        ],
    },
    Row {
        name: "observe, 12 buckets",
        target: "≤ 10",
        limit: "a search and an atomic add",
        contended: false,
        contenders: &[
            (OURS, ours::observe),
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
        contenders: &[
            (OURS, ours::observe_with_exemplar),
            (CLIENT, prometheus_client::observe_with_exemplar),
        ],
    },
    Row {
        name: "observe, native buckets",
        target: "≤ 20",
        limit: "a lookup and an atomic add",
        contended: false,
        contenders: &[
            (OURS, ours::observe_native),
            (CLIENT, prometheus_client::observe_native),
            (METRICS, metrics::observe_native),
            (METRIKEN, metriken::observe_native),
        ],
    },
    Row {
        name: "observe, 12 buckets and native ones",
        target: "",
        limit: "",
        contended: false,
        contenders: &[
            (OURS, ours::observe_both),
            (CLIENT, prometheus_client::observe_both),
        ],
    },
    Row {
        name: "two threads, one counter",
        target: "≤ 8",
        limit: "6.4 striped with an atomic add",
        contended: true,
        contenders: &[
            (OURS, ours::two_striped_counters),
            (PLAIN, ours::two_counters),
            (PROMETHEUS, prometheus::two_counters),
            (CLIENT, prometheus_client::two_counters),
            (MEASURED, measured::two_counters),
            (METRIKEN, metriken::two_counters),
        ],
    },
    Row {
        name: "two threads, one histogram",
        target: "≤ 15",
        limit: "8 striped with an atomic add",
        contended: true,
        contenders: &[
            (OURS, ours::two_striped_histograms),
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
        contenders: &[(OURS, ours::two_striped_histograms_with_exemplars)],
    },
    Row {
        name: "two threads, one native histogram",
        target: "",
        limit: "",
        contended: true,
        contenders: &[
            (OURS, ours::two_striped_native_histograms),
            (PLAIN, ours::two_native_histograms),
            (CLIENT, prometheus_client::two_native_histograms),
            (METRIKEN, metriken::two_native_histograms),
        ],
    },
];

/// The last has numbers in place of texts, of which all are known when the family is made: not the
/// same job.
const WITH_KNOWN: Contenders<Create> = &[
    (OURS, ours::create),
    (PROMETHEUS, prometheus::create),
    (CLIENT, prometheus_client::create),
    (METRICS, metrics::create),
    (MEASURED, measured::create),
    ("measured, all texts known before", measured::create_known),
];
const CREATE: Contenders<Create> = WITH_KNOWN.split_at(WITH_KNOWN.len() - 1).0;

const fn heap(
    name: &'static str,
    contenders: Contenders<Create>,
    measure: fn(Create) -> f64,
) -> Whole {
    Whole {
        name,
        unit: "bytes",
        target: "≤ 120",
        limit: "about 85",
        contenders,
        measure,
    }
}

pub(crate) const WHOLES: &[Whole] = &[
    Whole {
        name: "create 1,000,000 series",
        unit: "millions a second",
        target: "≥ 2",
        limit: "",
        contenders: WITH_KNOWN,
        measure: creation_rate,
    },
    heap(
        "heap for each of 100,000 counters, each with a text of its own",
        CREATE,
        |create| heap_per_series(create, &Texts::of_their_own(100_000), 100_000),
    ),
    heap(
        "heap for each of 1,000,000 counters, each with a text of its own",
        CREATE,
        |create| heap_per_series(create, &Texts::of_their_own(1_000_000), 1_000_000),
    ),
    heap(
        "heap for each of 100,000 counters, of 5,050 texts",
        WITH_KNOWN,
        |create| heap_per_series(create, &Texts::shared(), 100_000),
    ),
    heap(
        "heap for each of 1,000,000 counters, of 5,050 texts",
        WITH_KNOWN,
        |create| heap_per_series(create, &Texts::shared(), 1_000_000),
    ),
];
