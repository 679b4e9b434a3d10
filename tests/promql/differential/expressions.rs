//! Random expressions.

use super::{Random, rare};

pub(super) const RANGES: [&str; 6] = ["30s", "1m", "97s", "5m", "10m", "31m"];
const LABELS: [&str; 3] = ["job", "instance", "path"];

/// An expression that gives an instant vector.
pub(super) fn vector(random: &mut Random, depth: u32) -> String {
    if depth == 0 {
        return leaf(random);
    }
    let inner = |random: &mut Random| vector(random, depth - 1);
    match random.below(20) {
        0..=2 => leaf(random),
        3 => aggregation(random, depth),
        4 => {
            let op = random.pick(&["sum", "avg", "count", "min", "max", "group"]);
            let by = grouping(random);
            format!("{op} {by} ({})", inner(random))
        }
        5 => {
            let op = random.pick(&["+", "-", "*", "/", "%", "^", "atan2"]);
            format!("({}) {op} ({})", inner(random), inner(random))
        }
        6 => {
            let op = random.pick(&["==", "!=", "<", ">", "<=", ">=", "> bool", "< bool"]);
            let number = random.below(60);
            format!("{} {op} {number}.5", leaf(random))
        }
        7 => {
            let op = random.pick(&["and", "or", "unless"]);
            let on = random.pick(&["", "on (job)", "on (job, instance)", "ignoring (path, le)"]);
            format!("({}) {op} {on} ({})", inner(random), inner(random))
        }
        8 => grouped(random),
        9..=13 => function(random, depth),
        14 => native(random),
        15..=18 => rare::form(random, depth),
        _ => {
            let op = random.pick(&["stddev", "stdvar", "quantile"]);
            let q = if op == "quantile" { "0.37, " } else { "" };
            let by = grouping(random);
            format!("{op} {by} ({q}{})", leaf(random))
        }
    }
}

/// A function of a vector.
fn function(random: &mut Random, depth: u32) -> String {
    let inner = |random: &mut Random| vector(random, depth - 1);
    match random.below(5) {
        0 => {
            let name = random.pick(&[
                "abs",
                "ceil",
                "floor",
                "sgn",
                "sqrt",
                "exp",
                "ln",
                "log2",
                "log10",
                "sin",
                "cosh",
                "atan",
                "deg",
                "rad",
                "-",
                "timestamp",
            ]);
            format!("{name}({})", inner(random))
        }
        1 => {
            let form = random.pick(&[
                // The server's results with infinities and NaN depend on its processor.
                "hour(clamp(V, -9e8, 9e8) * 31 > -1e12)",
                "day_of_week(clamp(V, -9e4, 9e4) * 98765 > -1e12)",
                "day_of_year(clamp(V, -9e4, 9e4) * 98765 > -1e12)",
                "days_in_month(clamp(V, -9e4, 9e4) * 98765 > -1e12)",
                "month(clamp(V, -9e4, 9e4) * 98765 > -1e12)",
                "year(clamp(V, -9e4, 9e4) * 98765 > -1e12)",
                "minute(timestamp(V))",
                "clamp(V, -3, 40)",
                "clamp_min(V, 7)",
                "clamp_max(V, 9.5)",
                "round(V)",
                "round(V, 0.25)",
                "V * 2.5",
                "3 - V",
                "1 / V",
                "-V ^ 2",
            ]);
            form.replace('V', &format!("({})", inner(random)))
        }
        2 => {
            let name = random.pick(&[
                "max_over_time",
                "min_over_time",
                "avg_over_time",
                "sum_over_time",
                "count_over_time",
                "last_over_time",
                "stddev_over_time",
                "present_over_time",
                "changes",
                "resets",
                "deriv",
                "delta",
                "idelta",
            ]);
            let step = random.pick(&["", "15s", "1m", "43s"]);
            let range = random.pick(&["1m", "5m", "9m"]);
            format!("{name}(({})[{range}:{step}])", inner(random))
        }
        3 => {
            let q = random.pick(&["0", "0.25", "0.5", "0.9", "0.99", "1", "-0.5", "1.5"]);
            let range = random.pick(&RANGES);
            let by = random.pick(&["by (le)", "by (le, job)", "without (instance)"]);
            format!("histogram_quantile({q}, sum {by} (rate(h_bucket[{range}])))")
        }
        _ => {
            let form = random.pick(&[
                "label_replace(V, \"new\", \"$1-x\", \"job\", \"(.*)i\")",
                "label_replace(V, \"instance\", \"\", \"job\", \".*\")",
                "label_join(V, \"all\", \"-\", \"job\", \"instance\")",
                "absent(V)",
                "vector(scalar(V))",
                "sort(V)",
                "sort_desc(V)",
                "count_values(\"v\", round(V / 10))",
            ]);
            form.replace('V', &inner(random))
        }
    }
}

fn selector(random: &mut Random, name: &str) -> String {
    let matcher = random.pick(&[
        "",
        "",
        "",
        "{job=\"api\"}",
        "{job=~\"a.*|x\"}",
        "{instance!=\"1\"}",
        "{instance!~\"0|2\"}",
        "{job=\"none\"}",
    ]);
    format!("{name}{matcher}")
}

/// The modifiers of a selector or range.
pub(super) fn moved(random: &mut Random) -> &'static str {
    random.pick(&[
        "",
        "",
        "",
        "",
        "",
        " offset 1m",
        " offset -45s",
        " @ 1700001000",
        " offset 2m @ 1700002345.5",
        " @ start()",
        " @ end()",
    ])
}

fn leaf(random: &mut Random) -> String {
    match random.below(8) {
        0..=2 => {
            let name = random.pick(&["g", "g2", "c_total", "p_total", "h_bucket", "info"]);
            let selector = selector(random, name);
            format!("{selector}{}", moved(random))
        }
        3..=4 => {
            let function = random.pick(&["rate", "increase", "irate", "resets", "changes"]);
            let name = random.pick(&["c_total", "d_total", "p_total", "h_bucket"]);
            let (selector, range) = (selector(random, name), random.pick(&RANGES));
            format!("{function}({selector}[{range}]{})", moved(random))
        }
        5..=6 => {
            let function = random.pick(&[
                "avg_over_time",
                "min_over_time",
                "max_over_time",
                "sum_over_time",
                "count_over_time",
                "last_over_time",
                "stddev_over_time",
                "stdvar_over_time",
                "present_over_time",
                "delta",
                "deriv",
                "idelta",
                "changes",
            ]);
            let name = random.pick(&["g", "g2", "c_total"]);
            let (selector, range) = (selector(random, name), random.pick(&RANGES));
            format!("{function}({selector}[{range}]{})", moved(random))
        }
        _ => {
            let range = random.pick(&RANGES);
            let selector = selector(random, "g");
            let form = random.pick(&[
                "quantile_over_time(0.8, R)",
                "predict_linear(R, 600)",
                "absent_over_time(R)",
            ]);
            form.replace('R', &format!("{selector}[{range}]"))
        }
    }
}

fn grouping(random: &mut Random) -> String {
    let label = random.pick(&LABELS);
    random.pick(&["", "by", "without"]).to_owned()
        + &match random.below(3) {
            0 => format!(" ({label})"),
            1 => " ()".to_owned(),
            _ => " (job, instance)".to_owned(),
        }
}

fn aggregation(random: &mut Random, depth: u32) -> String {
    let op = random.pick(&["topk", "bottomk"]);
    if random.once_in(2) {
        // All values differ, so that the largest ones are unambiguous.
        let count = random.below(4);
        return format!("{op} by (job) ({count}, g{})", moved(random));
    }
    format!("sum by (job) ({})", vector(random, depth - 1))
}

/// Pairs of several with one.
fn grouped(random: &mut Random) -> String {
    let op = random.pick(&["+", "-", "*", "/", ">", "<= bool"]);
    let range = random.pick(&RANGES);
    match random.below(4) {
        0 => format!("g {op} on (job) group_left (version) info"),
        1 => format!("info {op} on (job) group_right () rate(c_total[{range}])"),
        2 => {
            format!("rate(p_total[{range}]) {op} ignoring (path) group_left rate(c_total[{range}])")
        }
        _ => format!("rate(c_total[{range}]) {op} on (job, instance) rate(d_total[{range}])"),
    }
}

/// Of native histograms.
fn native(random: &mut Random) -> String {
    let range = random.pick(&RANGES);
    let moved = moved(random);
    let histogram = match random.below(6) {
        0 => format!("n{moved}"),
        1 => format!("sum by (job) (rate(n[{range}]{moved}))"),
        2 => format!("increase(n[{range}]{moved})"),
        3 => format!("avg without (instance) (rate(n[{range}]))"),
        4 => format!("irate(n[{range}])"),
        _ => format!("(rate(n[{range}]) * 3 + rate(n[{range}] offset 1m) / 2)"),
    };
    let form = random.pick(&[
        "H",
        "histogram_count(H)",
        "histogram_sum(H)",
        "histogram_avg(H)",
        "histogram_stddev(H)",
        "histogram_quantile(0.9, H)",
        "histogram_quantile(0.3, H)",
        "histogram_fraction(-1, 3, H)",
        "count(H)",
    ]);
    form.replace('H', &histogram)
}

/// Whether an expression reads the native histograms.
pub(super) fn reads_native(expression: &str) -> bool {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.into_iter().any(|word| word == "n")
}
