//! Forms that are rare in queries, in which evaluators err.

use super::Random;
use super::expressions::{RANGES, moved, vector};

/// Of which `V` and `W` are expressions, `R` is a range of floats, `N` one of histograms, `O` the
/// modifiers of a selector, `Q` a number, and `K` a count.
const FORMS: &[&str] = &[
    // Subqueries that are moved, nested, or of a fixed time.
    "max_over_time((V)[5m:1m] offset -1m)",
    "sum_over_time((V)[4m:] @ end())",
    "rate((sum by (job) (c_total))[5m:15s] @ start() offset 1m)",
    "avg_over_time(max_over_time((V)[2m:30s])[3m:45s])",
    "count_over_time((V)[3m:20s] offset 90s)",
    "last_over_time(increase(c_total[1m]O)[4m:25s])",
    "min_over_time((V)[1m1s:7s] @ 1700001999.999)",
    "quantile_over_time(0.3, (V)[5m:30s])",
    "max_over_time(timestamp(g O)[5m:10s])",
    "sum_over_time(time()[3m:37s])",
    // Values at another time beside others.
    "g - g offset 5m",
    "g / on (job, instance) (g @ start())",
    "sum by (job) (c_total @ end()) - sum by (job) (c_total @ start())",
    "timestamp(g O)",
    "timestamp(V)",
    "timestamp(timestamp(g O))",
    // Labels of both sides.
    "(V) * on (job) group_left (version) info",
    "(V) * on (job) group_left (version, path) info",
    "info * on (job) group_right (version) (V)",
    "(V) == bool on (job, instance) (W)",
    "(V) >= on (job, instance) group_left (W)",
    "(V) - ignoring (path, le, zone) (W)",
    "(V) + on () group_left () vector(3)",
    "(V) / on () group_right () (W)",
    "u + on (path) g",
    "u * ignoring (zone) u",
    // Sets of series with other labels.
    "u or g",
    "g or u",
    "u or (V)",
    "u or on (job) (V)",
    "(V) or on () vector(0)",
    "vector(0) or (V)",
    "u and ignoring (zone, path) (V)",
    "(V) unless on () vector(1)",
    "u unless on (nope) (V)",
    "(V) and on (instance) u",
    // Classic histograms of all kinds, and what is none.
    "histogram_quantile(Q, m_bucket O)",
    "histogram_quantile(Q, rate(m_bucket[5m]O))",
    "histogram_quantile(Q, sum by (le) (m_bucket))",
    "histogram_quantile(Q, sum by (le, job) (increase(m_bucket[10m])))",
    "histogram_quantile(Q, m_bucket{le!=\"+Inf\"})",
    "histogram_quantile(Q, {__name__=~\"[hm]_bucket\"})",
    "histogram_quantile(Q, g)",
    "histogram_quantile(scalar(g{job=\"api\", instance=\"0\"}) / 50, h_bucket)",
    "histogram_quantile(0.5, label_replace(h_bucket, \"le\", \"7\", \"le\", \"10\"))",
    // Labels that are written.
    "label_replace(V, \"job\", \"$2$1\", \"instance\", \"(.)(.?)\")",
    "label_replace(V, \"new\", \"${n}y$$\", \"job\", \"(?P<n>a.*)\")",
    "label_replace(V, \"new\", \"$9$1x\", \"path\", \"/(a|b)\")",
    "label_replace(V, \"__name__\", \"new\", \"job\", \"api\")",
    "label_replace(V, \"job\", \"\", \"nope\", \"\")",
    "label_replace(V, \"job\", \"x\", \"job\", \"p\")",
    "label_replace(V, \"instance\", \"same\", \"\", \"\")",
    "label_join(V, \"instance\", \"\", \"job\")",
    "label_join(V, \"job\", \"-\")",
    "label_join(V, \"__name__\", \"_\", \"__name__\", \"job\")",
    "label_join(V, \"new\", \"-\", \"job\", \"nope\", \"job\")",
    // Aggregations whose parameter is out of the ordinary.
    "quantile(Q, V)",
    "quantile by (job) (Q, V)",
    "quantile without (instance) (0.3 + 0.1, V)",
    "quantile_over_time(Q, R)",
    "count_values(\"job\", round(V / 20))",
    "count_values by (job) (\"instance\", round(V / 20))",
    "count_values without (instance) (\"v\", round(V / 20))",
    "sum(topk(2, round(V / 20)))",
    "sum by (job) (bottomk by (job) (2, round(V / 20)))",
    "count(topk(K, V))",
    "count(bottomk(K, V))",
    "topk without (instance) (1, g)",
    "count(limitk(K, V))",
    "count by (job) (limitk by (job) (2, V))",
    "count(limit_ratio(1, V))",
    "sum by (nope) (V)",
    "avg without (job, nope) (V)",
    "count by (__name__) ({job=\"api\", __name__=~\"g.*|c_total|u\"})",
    "group by (__name__, job) ({__name__=~\"g|n|u\"})",
    // Several names.
    "{__name__=~\"g|g2\"} O",
    "-{__name__=~\"g|g2\"}",
    "-{__name__=~\"g|n\", job=\"api\"}",
    "rate({__name__=~\"[cd]_total\"}[5m])",
    "last_over_time({__name__=~\"[cd]_total\"}[5m])",
    "sum by (job) (rate({__name__=~\"[cd]_total\"}[5m]O))",
    "{__name__=~\"g|g2\"} > 10",
    "{__name__=~\"g|g2\"} + 1",
    "{__name__=~\"g|g2\"} and on (job) u",
    "{job=\"api\", instance=~\"0|2\", __name__!~\".*_bucket\"}",
    // What is not there.
    "absent(g{job=\"x\", instance=\"1\"})",
    "absent(sum(g{job=\"none\"}))",
    "absent(g{job=\"none\", job!=\"x\", path=~\"a\"})",
    "absent(V)",
    "absent_over_time(g{job=\"none\", job=\"none\"}[5m])",
    "absent_over_time((V)[2m:30s])",
    "absent_over_time(R)",
    "present_over_time(N)",
    // Arguments out of the ordinary.
    "clamp(V, 5, 3)",
    "clamp(V, Q, 3)",
    "clamp_min(V, scalar(u))",
    "round(V, 0)",
    "round(V, -3)",
    "round(V, scalar(g{job=\"api\"}))",
    "predict_linear(R, -600)",
    "double_exponential_smoothing(R, 0.3, 0.6)",
    "mad_over_time(c_total[5m])",
    "ts_of_max_over_time(R)",
    "ts_of_min_over_time(R)",
    "ts_of_last_over_time(R)",
    "idelta(R)",
    "irate(R)",
    "deriv(R)",
    "scalar(V) + (W)",
    "vector(scalar(g{job=\"api\", instance=\"0\"}) > bool 3)",
    "vector(time() % 7)",
    "(V) % 0",
    "0 / (V)",
    "2 ^ (V)",
    "(V) atan2 -2",
    "1 < bool (V)",
    "3 > (V)",
    "+(V)",
    "Inf * (V)",
    // In order, by value or label.
    "sort(V)",
    "sort_desc(V)",
    "sort_by_label(g, \"instance\", \"job\")",
    "sort_by_label_desc({__name__=~\"g|g2\"}, \"instance\")",
    // Histograms where floats are usual, and both.
    "changes(N)",
    "resets(N)",
    "count_over_time(N)",
    "last_over_time(N)",
    "sum_over_time(N)",
    "avg_over_time(N)",
    "delta(N)",
    "idelta(N)",
    "max_over_time(N)",
    "n * 2 + n",
    "n * g",
    "n / 0",
    "g / n",
    "n + g",
    "n == n",
    "n != n offset 1m",
    "n > 1",
    "-n",
    "n and g",
    "sum({__name__=~\"n|g\"})",
    "avg by (job) ({__name__=~\"n|g\"})",
    "max({__name__=~\"n|g\"})",
    "count({__name__=~\"n|g\"})",
    "stddev by (job) ({__name__=~\"n|g\"})",
    "abs(n)",
    "count(topk(20, {__name__=~\"n|g\"}))",
    "count_values(\"v\", histogram_count(n) > 1e9)",
    "histogram_avg({__name__=~\"n|g\"})",
    "histogram_fraction(-Inf, Q, n)",
    "histogram_fraction(3, -1, n)",
    "histogram_quantile(Q, n O)",
    "histogram_stdvar(rate(N))",
];

const NUMBERS: [&str; 12] = [
    "0", "0.5", "0.99", "1", "-0.5", "1.5", "NaN", "Inf", "-Inf", "0.001", "0.25", "1e20",
];

/// One of the forms, with expressions of a lower depth.
pub(super) fn form(random: &mut Random, depth: u32) -> String {
    let mut text = String::new();
    for c in random.pick(FORMS).chars() {
        match c {
            'V' | 'W' => text += &vector(random, depth - 1),
            'R' | 'N' => {
                let floats = random.pick(&["g", "g2", "c_total", "u"]);
                text += if c == 'N' { "n" } else { floats };
                for part in ["[", random.pick(&RANGES), "]", moved(random)] {
                    text += part;
                }
            }
            'O' => text += moved(random),
            'Q' => text += random.pick(&NUMBERS),
            'K' => text += random.pick(&["0", "1", "2", "3.7", "-2", "-Inf"]),
            _ => text.push(c),
        }
    }
    text
}
