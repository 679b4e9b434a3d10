//! The picture of the README: the panels of the overview, drawn from what a real Prometheus has
//! scraped of the storefront. `UPDATE_PICTURE=1 tests/all.sh assets` writes it again, after two
//! minutes of load and chaos.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::support::prometheus::Prometheus;

const PLACE: &str = "src/docs/overview.svg";
/// How long it is recorded for the picture, and how much of it is shown.
const RECORDED: Duration = Duration::from_secs(110);
const SHOWN: f64 = 120.0;
/// Pixels of a column, of 24, and of a row.
const WIDE: f64 = 40.0;
const TALL: f64 = 24.0;
const COLOURS: [&str; 6] = [
    "#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#b877d9",
];

/// Times and values of one series, and its legend.
struct Line {
    legend: String,
    points: Vec<(f64, f64)>,
}

/// Draws the panels of a dashboard; every one that may not be empty has data.
pub(super) fn draw(server: &Prometheus, dashboard: &Path) {
    let is_kept = std::env::var_os("UPDATE_PICTURE").is_some();
    if is_kept {
        std::thread::sleep(RECORDED);
    }
    let dashboard: Value =
        serde_json::from_str(&std::fs::read_to_string(dashboard).unwrap()).unwrap();
    let now = server.value("time()").unwrap();
    let mut drawn = String::new();
    let mut bottom: f64 = 0.0;
    for panel in dashboard["panels"].as_array().unwrap() {
        let lines = lines(server, panel, now);
        let may_be_empty = panel["type"] == "row" || panel["description"] != "";
        assert!(
            may_be_empty || !lines.is_empty(),
            "no data in {}",
            panel["title"]
        );
        if panel["type"] == "row" || !lines.is_empty() {
            bottom = bottom.max(self::panel(&mut drawn, panel, &lines, now));
        }
    }
    let (width, height) = (24.0 * WIDE, bottom + 8.0);
    let picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\"><rect width=\"{width}\" height=\"{height}\" fill=\"#111217\"/>\n{drawn}</svg>\n"
    );
    assert!(picture.matches("<polyline").count() > 10, "{picture}");
    if is_kept {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(PLACE);
        std::fs::write(place, picture).unwrap();
    }
}

/// The content of a panel; for one of newest values, a point each.
fn lines(server: &Prometheus, panel: &Value, now: f64) -> Vec<Line> {
    let mut lines = Vec::new();
    for target in panel["targets"].as_array().into_iter().flatten() {
        let expr = target["expr"]
            .as_str()
            .unwrap()
            .replace("$__rate_interval", "10s");
        let expr = ["job", "instance", "namespace", "env"]
            .into_iter()
            .fold(expr, |expr, name| expr.replace(&format!("${name}"), ".*"));
        let from = if target["instant"] == true {
            now
        } else {
            now - SHOWN
        };
        let answer = server.query_range(&expr, from, now, 2.0);
        for series in answer["result"].as_array().unwrap() {
            let points = series["values"].as_array().unwrap().iter();
            let points = points.filter_map(|pair| {
                let value: f64 = pair[1].as_str()?.parse().ok()?;
                value.is_finite().then_some((pair[0].as_f64()?, value))
            });
            let points: Vec<_> = points.collect();
            if !points.is_empty() {
                lines.push(Line {
                    legend: legend(target, &series["metric"]),
                    points,
                });
            }
        }
    }
    lines
}

/// The legend of a series, its labels filled in.
fn legend(target: &Value, labels: &Value) -> String {
    // Without a legend, an alert still has a name.
    let name = labels["alertname"].as_str().unwrap_or_default();
    let legend = target["legendFormat"].as_str().unwrap();
    let legend = legend.replace("__auto", name);
    let labels = labels.as_object().unwrap().iter();
    labels.fold(legend, |legend, (name, value)| {
        legend.replace(&format!("{{{{{name}}}}}"), value.as_str().unwrap())
    })
}

/// Draws one panel, and gives where it ends.
fn panel(out: &mut String, panel: &Value, lines: &[Line], now: f64) -> f64 {
    let place = &panel["gridPos"];
    let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| place[side].as_f64().unwrap());
    let (x, y, w, h) = (
        x * WIDE + 4.0,
        y * TALL + 4.0,
        w * WIDE - 8.0,
        h * TALL - 8.0,
    );
    let title = escaped(panel["title"].as_str().unwrap());
    if panel["type"] == "row" {
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"{}\" fill=\"#ccccdc\" font-weight=\"bold\">{title}</text>",
            y + 12.0
        );
        return y + h;
    }
    let _ = writeln!(
        out,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"3\" fill=\"#181b1f\" stroke=\"#2c3235\"/>\
         <text x=\"{}\" y=\"{}\" fill=\"#ccccdc\">{title}</text>",
        x + 8.0,
        y + 15.0
    );
    let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap();
    match panel["type"].as_str().unwrap() {
        "timeseries" => curves(
            out,
            lines,
            unit,
            now,
            (x + 8.0, y + 24.0, w - 16.0, h - 32.0),
        ),
        "table" => table(out, lines, (x + 8.0, y + 34.0, h - 40.0)),
        _ => {
            let value = lines[0].points.last().unwrap().1;
            let colour = colour(
                &panel["fieldConfig"]["defaults"]["thresholds"]["steps"],
                value,
            );
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\" font-size=\"26\" text-anchor=\"middle\" fill=\"{colour}\">{}</text>",
                x + w / 2.0,
                y + h / 2.0 + 16.0,
                shown(value, unit)
            );
        }
    }
    y + h
}

/// The colour of the last threshold that a value has reached.
fn colour(steps: &Value, value: f64) -> &str {
    let steps = steps.as_array().into_iter().flatten();
    let mut reached = steps.filter(|step| step["value"].as_f64().is_none_or(|from| value >= from));
    match reached.next_back().and_then(|step| step["color"].as_str()) {
        Some("green") | None => "#73bf69",
        Some("yellow") => "#fade2a",
        Some("orange") => "#ff9830",
        Some(_) => "#f2495c",
    }
}

/// Curves over the time that is shown, the largest value and zero at the left, the legend below.
fn curves(
    out: &mut String,
    lines: &[Line],
    unit: &str,
    now: f64,
    (x, y, w, h): (f64, f64, f64, f64),
) {
    let (left, legend) = (x + 48.0, 16.0);
    let (wide, tall) = (w - 48.0, h - legend);
    let values = lines
        .iter()
        .flat_map(|line| line.points.iter().map(|point| point.1));
    let top = values.fold(0.0_f64, f64::max).max(1e-9) * 1.05;
    for (at, value) in [(0.0, top), (0.5, top / 2.0), (1.0, 0.0)] {
        let level = y + 4.0 + at * (tall - 4.0);
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#8e8e99\" font-size=\"10\">{}</text>\
             <line x1=\"{left}\" x2=\"{}\" y1=\"{level}\" y2=\"{level}\" stroke=\"#2c3235\"/>",
            left - 6.0,
            level + 3.0,
            shown(value, unit),
            left + wide
        );
    }
    let mut from = left;
    for (line, colour) in lines.iter().zip(COLOURS) {
        let points = line.points.iter().map(|(time, value)| {
            let x = left + (1.0 - (now - time) / SHOWN) * wide;
            let y = y + 4.0 + (1.0 - value / top) * (tall - 4.0);
            format!("{x:.1},{y:.1}")
        });
        let points = points.collect::<Vec<_>>().join(" ");
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{points}\"/>"
        );
        // A legend without space is left out.
        let length = line.legend.len() as f64 * 5.6;
        if from + length < left + wide {
            let _ = writeln!(
                out,
                "<text x=\"{from:.0}\" y=\"{:.0}\" fill=\"{colour}\" font-size=\"10\">{}</text>",
                y + h - 1.0,
                escaped(&line.legend)
            );
            from += length + 14.0;
        }
    }
}

/// The legends and newest values, as far as there is space.
fn table(out: &mut String, lines: &[Line], (x, y, h): (f64, f64, f64)) {
    for (at, line) in lines
        .iter()
        .enumerate()
        .map(|(at, line)| (at as f64 * 15.0, line))
    {
        if at < h {
            let text = escaped(&line.legend);
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{}\" fill=\"#ccccdc\">{text}</text>",
                y + at
            );
        }
    }
}

/// A value in the unit of a panel.
fn shown(value: f64, unit: &str) -> String {
    match unit {
        "percentunit" => format!("{:.1} %", value * 100.0),
        "percent" => format!("{value:.0} %"),
        "s" if value < 1.0 => format!("{:.1} ms", value * 1_000.0),
        "s" => format!("{value:.1} s"),
        "reqps" => format!("{value:.0} req/s"),
        "cps" => format!("{value:.1} c/s"),
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        _ => format!("{value:.1}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
