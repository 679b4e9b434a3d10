//! What other libraries render in a text format of Prometheus.

use selfheal::catalog::Kind;
use selfheal::encode::{Encoding, Format, encode};
use selfheal::interop::from_text;
use selfheal::registry::{DeclareError, Registry, Value};

use crate::support::{find, number, value};

fn with(text: &'static str) -> Registry {
    let ours = Registry::new();
    from_text(&ours, move || text.to_owned()).unwrap();
    ours
}

fn page(registry: &Registry, format: Format) -> String {
    let mut page = Vec::new();
    encode(&registry.scrape(), format, Encoding::Identity, &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

const SKIPPED: &str = "selfheal_prometheus_skipped_total";

/// As `metrics-exporter-prometheus` renders: counters without a suffix, summaries with quantiles,
/// an empty line after each metric.
const EXPORTER: &str = r#"# TYPE route_hit counter
route_hit{route="set_value"} 3
route_hit{route="a \"b\"\\c\n"} 1

# HELP memory_usage_bytes Memory
# TYPE memory_usage_bytes gauge
memory_usage_bytes 12345.5

# TYPE request_duration_seconds summary
request_duration_seconds{route="set_value",quantile="0"} 0.001
request_duration_seconds{route="set_value",quantile="0.99"} 0.25
request_duration_seconds_sum{route="set_value"} 0.5
request_duration_seconds_count{route="set_value"} 7

# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} 1
took_seconds_bucket{le="1"} 3
took_seconds_bucket{le="+Inf"} 4
took_seconds_sum 2.5
took_seconds_count 4

plain 1 1700000000000
"#;

#[test]
fn what_an_exporter_renders_is_exposed_unchanged() {
    let ours = with(EXPORTER);
    let text = page(&ours, Format::TEXT);
    for line in EXPORTER.lines().filter(|line| !line.is_empty()) {
        let line = line.strip_suffix(" 1700000000000").unwrap_or(line);
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    assert_eq!(number(&ours, "route_hit", "route=\"set_value\""), Some(3.0));
    let def = find(&ours, "memory_usage_bytes").unwrap().def;
    assert_eq!((def.kind, &*def.help), (Kind::Gauge, "Memory"));
    let summary = value(&ours, "request_duration_seconds", "route=\"set_value\"");
    let quantiles = vec![(0.0, 0.001), (0.99, 0.25)];
    let (sum, count) = (0.5, 7);
    assert_eq!(
        summary,
        Some(Value::Summary {
            quantiles,
            sum,
            count
        })
    );
    assert_eq!(find(&ours, "plain").unwrap().def.kind, Kind::Unknown);
    assert_eq!(number(&ours, SKIPPED, ""), Some(0.0));
}

/// As `prometheus-client` renders, in OpenMetrics.
#[test]
fn openmetrics_are_read_too() {
    let ours = with(concat!(
        "# HELP hits Hits.\n# TYPE hits counter\n# UNIT hits requests\n",
        "hits_total{path=\"/\"} 3.0 # {trace_id=\"a b\"} 1.0 1.5\nhits_created{path=\"/\"} 1.5\n",
        "# TYPE build info\nbuild_info{version=\"1\"} 1\n",
        "# TYPE took histogram\n",
        "took_sum 3.0\ntook_count 2\ntook_bucket{le=\"1.0\"} 1 # {} 0.5\ntook_bucket{le=\"+Inf\"} 2\n",
        "# EOF\n",
    ));
    assert_eq!(number(&ours, "hits_total", "path=\"/\""), Some(3.0));
    let def = find(&ours, "hits_total").unwrap().def;
    assert_eq!((def.kind, &*def.help), (Kind::Counter, "Hits."));
    assert_eq!(number(&ours, "build_info", "version=\"1\""), Some(1.0));
    let Some(Value::Histogram(took)) = value(&ours, "took", "") else {
        panic!("a histogram");
    };
    assert_eq!((&*took.counts, took.sum), (&[1, 1][..], 3.0));
    assert!(find(&ours, "hits_created").is_none());
    assert_eq!(number(&ours, SKIPPED, ""), Some(0.0));
    assert!(page(&ours, Format::OPEN_METRICS).contains("hits_total{path=\"/\"} 3"));
}

#[test]
fn what_is_invalid_is_left_out_and_counted() {
    let ours = with(concat!(
        "good 1\n",
        "good 2\n",        // twice
        "no value\n",      // no number
        "torn{a=\"b} 1\n", // no end of the labels
        "näme 1\n",        // not a name
        "twice{a=\"1\",a=\"2\"} 1\n",
        "# TYPE down histogram\ndown_bucket{le=\"2\"} 1\ndown_bucket{le=\"1\"} 1\ndown_count 1\n",
        "# TYPE half histogram\nhalf_bucket{le=\"1\"} 0.5\nhalf_count 1\n",
        "# TYPE bare histogram\nbare_bucket 1\n",
        "# TYPE q summary\nq{quantile=\"none\"} 1\n",
    ));
    assert_eq!(number(&ours, SKIPPED, ""), Some(9.0));
    assert_eq!(number(&ours, SKIPPED, ""), Some(18.0), "of every scrape");
    assert_eq!(number(&ours, "good", ""), Some(1.0));
}

#[test]
fn a_page_that_panics_breaks_no_scrape() {
    let ours = Registry::new();
    ours.gauge("depth", "Depth").build().unwrap().set(2);
    from_text(&ours, || panic!("a test")).unwrap();
    assert_eq!(number(&ours, "depth", ""), Some(2.0));
}

#[test]
fn a_name_of_another_kind_is_refused_and_of_ours_none_comes_back() {
    let ours = Registry::new();
    ours.gauge("depth", "Depth").build().unwrap().set(2);
    let clash = from_text(&ours, || "# TYPE depth counter\ndepth 1\n".to_owned());
    assert!(
        matches!(clash, Err(DeclareError::Clash { .. })),
        "{clash:?}"
    );
    let again = ours.clone();
    from_text(&ours, move || page(&again, Format::TEXT)).unwrap();
    for _ in 0..2 {
        assert_eq!(number(&ours, "depth", ""), Some(2.0));
        assert_eq!(find(&ours, "depth").unwrap().series.len(), 1);
    }
}
