//! Formats results as Prometheus' JSON.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::promql::{Answer, FloatHistogram, LabelSet, PointValue, QueryResult, Severity};
use crate::server::answer;

/// An answer, with a limit of series.
pub(super) fn answer(answer: &Answer, time: i64, limit: usize) -> Response {
    let (kind, result, all) = match &answer.result {
        QueryResult::Scalar(value) => ("scalar", json!([seconds(time), number(*value)]), 1),
        QueryResult::Text(text) => ("string", json!([seconds(time), &**text]), 1),
        QueryResult::Vector(vector) => {
            let samples = vector.iter().take(limit).map(|sample| {
                let (name, value) = match &sample.value {
                    PointValue::Float(value) => ("value", json!(number(*value))),
                    PointValue::Histogram(whole) => ("histogram", histogram(whole)),
                };
                json!({ "metric": labels(&sample.labels), name: [seconds(time), value] })
            });
            ("vector", samples.collect(), vector.len())
        }
        QueryResult::Matrix(matrix) => {
            let series = matrix.iter().take(limit).map(|series| {
                let (mut values, mut histograms) = (Vec::new(), Vec::new());
                for sample in series
                    .samples
                    .iter()
                    .filter(|sample| !sample.value.is_stale())
                {
                    let time = seconds(sample.time);
                    match &sample.value {
                        PointValue::Float(value) => values.push(json!([time, number(*value)])),
                        PointValue::Histogram(whole) => {
                            histograms.push(json!([time, histogram(whole)]));
                        }
                    }
                }
                let mut one = Map::new();
                one.insert("metric".to_owned(), labels(&series.labels));
                for (name, list) in [("values", values), ("histograms", histograms)] {
                    if !list.is_empty() {
                        one.insert(name.to_owned(), list.into());
                    }
                }
                Value::Object(one)
            });
            ("matrix", series.collect(), matrix.len())
        }
    };
    let mut body = json!({
        "status": "success",
        "data": { "resultType": kind, "result": result },
    });
    let mut warnings = remarks(answer, Severity::Warning);
    if all > limit {
        warnings.push("results truncated due to limit".to_owned());
    }
    for (name, list) in [
        ("warnings", warnings),
        ("infos", remarks(answer, Severity::Info)),
    ] {
        if !list.is_empty() {
            body[name] = list.into();
        }
    }
    answer::answer(StatusCode::OK, "application/json", body.to_string())
}

fn remarks(answer: &Answer, severity: Severity) -> Vec<String> {
    let remarks = answer.annotations.iter();
    let remarks = remarks.filter(|remark| remark.severity == severity);
    remarks.map(ToString::to_string).collect()
}

pub(super) fn labels(labels: &LabelSet) -> Value {
    let pairs = labels
        .iter()
        .map(|(name, value)| (name.to_owned(), value.into()));
    Value::Object(pairs.collect())
}

/// Milliseconds as a number of seconds.
fn seconds(time: i64) -> Value {
    if time % 1_000 == 0 {
        json!(time / 1_000)
    } else {
        json!(time as f64 / 1e3)
    }
}

/// A value as text, since JSON has no infinite numbers.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

fn histogram(whole: &FloatHistogram) -> Value {
    let buckets = whole.buckets().filter(|bucket| bucket.count != 0.0);
    let buckets = buckets.map(|bucket| {
        let bounds = match (bucket.includes_lower, bucket.includes_upper) {
            (false, true) => 0,
            (true, false) => 1,
            (false, false) => 2,
            (true, true) => 3,
        };
        let (lower, upper) = (number(bucket.lower), number(bucket.upper));
        json!([bounds, lower, upper, number(bucket.count)])
    });
    json!({
        "count": number(whole.count),
        "sum": number(whole.sum),
        "buckets": buckets.collect::<Vec<_>>(),
    })
}
