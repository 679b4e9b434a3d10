//! The figures and charts of the page, defined in tables and drawn from the query API.

use std::fmt::Write as _;

use super::html::text;

/// Figures with a sparkline: title, unit and expression. `NS_` is the placeholder of the namespace.
/// Without data, a dash is shown.
const FIGURES: [(&str, &str, &str); 6] = [
    ("Requests", "/s", "sum(rate(NS_http_requests_total[1m]))"),
    (
        "Errors",
        "%",
        "(sum(rate(NS_http_requests_total{status=~\"5..\"}[1m])) or vector(0)) / (sum(rate(NS_http_requests_total[1m])) > 0)",
    ),
    (
        "Latency p99",
        "s",
        "histogram_quantile(0.99, sum by (le) (rate(NS_http_request_duration_seconds_bucket[1m])))",
    ),
    ("Healed in an hour", "", HEALED),
    ("CPU", "%", "rate(process_cpu_seconds_total[1m])"),
    ("Memory", "B", "sum(process_resident_memory_bytes)"),
];

/// How many there are now less those an hour ago: the counter never restarts within the history, and
/// `increase` would miss the first heal of each component. Without samples from an hour ago there
/// were none then, if the history or the process is that old; else the oldest samples are the base.
/// A time before the first sample has no value.
const HEALED: &str = "(sum(NS_healing_success_total) or 0 * sum(NS_healing_queue_size)) - \
     (sum(NS_healing_success_total offset 1h) \
     or (vector(0) and on() (process_start_time_seconds offset 1h or process_start_time_seconds > time() - 3600)) \
     or sum(min_over_time(NS_healing_success_total[1h])) or vector(0))";

/// Further figures, shown only if there is data.
const MORE_FIGURES: [(&str, &str, &str); 2] = [
    ("Fullest disk", "%", "max(NS_system_disk_percent) / 100"),
    (
        "File events",
        "/min",
        "60 * sum(rate(NS_file_events_total[5m]))",
    ),
];

/// The lines of a chart: name and expression of each.
type Lines = [(&'static str, &'static str)];

/// Charts: title, unit and lines.
const CHARTS: [(&str, &str, &Lines); 1] = [(
    "Latency of requests",
    "s",
    &[
        (
            "p99",
            "histogram_quantile(0.99, sum by (le) (rate(NS_http_request_duration_seconds_bucket[1m])))",
        ),
        (
            "p50",
            "histogram_quantile(0.5, sum by (le) (rate(NS_http_request_duration_seconds_bucket[1m])))",
        ),
    ],
)];

/// The time ranges of charts, in minutes.
const RANGES: [(u32, &str); 3] = [(15, "15 min"), (60, "1 h"), (120, "2 h")];

fn named(expression: &str, namespace: &str) -> String {
    let prefix = match namespace {
        "" => String::new(),
        namespace => format!("{namespace}_"),
    };
    expression.replace("NS_", &prefix)
}

/// Appends the figures, which the script of the page shows and fills in.
pub(super) fn figures(out: &mut String, namespace: &str) {
    let always = FIGURES.map(|figure| (figure, ""));
    let where_recorded = MORE_FIGURES.map(|figure| (figure, " data-maybe"));
    for ((title, unit, expression), maybe) in always.into_iter().chain(where_recorded) {
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "<div class=\"card figures\" hidden{maybe} data-query=\""
        );
        text(out, &named(expression, namespace));
        let _ = write!(
            out,
            "\" data-unit=\"{unit}\"><h2>{title}</h2><div class=\"big\">–</div>\
             <div class=\"spark\"></div></div>"
        );
    }
}

/// Appends the line of the health score, whose figure is shown above it.
pub(super) fn score(out: &mut String, namespace: &str) {
    out.push_str("<div class=\"figures\" hidden data-query=\"");
    text(out, &named("max(NS_system_health_score)", namespace));
    out.push_str(
        "\" data-unit=\"\"><div class=\"big\" hidden></div><div class=\"spark\"></div></div>",
    );
}

/// Appends the charts.
pub(super) fn charts(out: &mut String, namespace: &str) {
    for (title, unit, lines) in CHARTS {
        let _ = write!(
            out,
            "<section class=\"card figures\" hidden><div class=\"bar\"><h2>{title}</h2>\
             <span class=\"key\"><span><i class=\"flag\"></i>what happened</span></span>\
             <span class=\"seg\" role=\"group\" aria-label=\"Range\">"
        );
        for (n, (minutes, label)) in RANGES.into_iter().enumerate() {
            let _ = write!(
                out,
                "<button type=\"button\" value=\"{minutes}\" aria-pressed=\"{}\">{label}</button>",
                n == 0
            );
        }
        let lines: Vec<_> = lines
            .iter()
            .map(|(name, expression)| (*name, named(expression, namespace)))
            .collect();
        out.push_str("</span></div><figure class=\"chart\" data-lines=\"");
        text(out, &serde_json::to_string(&lines).unwrap_or_default());
        let _ = write!(
            out,
            "\" data-unit=\"{unit}\" data-label=\"{title}\"></figure></section>"
        );
    }
}

/// Appends the placeholder of pending and firing alerts of rules, which the script fills in.
pub(super) fn rules(out: &mut String) {
    out.push_str(
        "<section id=\"rules\" class=\"card\" hidden aria-labelledby=\"h-rules\">\
         <h2 id=\"h-rules\">Alerts of rules</h2><ul class=\"opens\"></ul></section>",
    );
}

/// Appends the explorer: select a metric or type an expression, and see its series as a chart.
pub(super) fn explorer(out: &mut String, namespace: &str) {
    out.push_str(
        "<section class=\"card figures\" hidden><h2><label for=\"ask\">Ask: a metric, or an \
         expression in PromQL</label></h2><form id=\"explorer\" class=\"ask\">\
         <input id=\"ask\" list=\"names\" autocomplete=\"off\" spellcheck=\"false\" value=\"",
    );
    text(
        out,
        &named(
            "sum by (path) (rate(NS_http_requests_total[1m]))",
            namespace,
        ),
    );
    out.push_str(
        "\"><datalist id=\"names\"></datalist><button>Run</button></form>\
         <p id=\"about\" class=\"soft\" role=\"status\"></p>\
         <figure id=\"answer\" class=\"chart\"></figure></section>",
    );
}
