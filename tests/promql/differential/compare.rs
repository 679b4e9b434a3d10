//! Two answers to one expression.

use std::collections::BTreeMap;

use serde_json::Value;

use selfheal::promql::{
    Answer, FloatHistogram, LabelSet, PointValue, QueryError, QueryResult, Series,
};

/// The relative difference that makes no difference, and the absolute one.
const EPSILON: f64 = 1e-6;
const NOTHING: f64 = 1e-9;

/// The value of a series at each time: a number, or the numbers of a histogram.
type Points = BTreeMap<i64, Vec<f64>>;

/// How many values are the same; an error if one is not, or has another place in a sorted answer.
/// `theirs` is the answer or the error of the server's API.
pub(super) fn answers(
    ours: Result<Answer, QueryError>,
    theirs: Result<Value, String>,
    is_sorted: bool,
) -> Result<usize, String> {
    let (ours, theirs) = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        // The messages of the two refusals may differ.
        (Err(_), Err(_)) => return Ok(0),
        (Ok(ours), Err(error)) => return Err(format!("ours {:?}, theirs {error}", ours.result)),
        (Err(error), Ok(theirs)) => return Err(format!("ours {error}, theirs {theirs}")),
    };
    if is_sorted {
        in_order(&ours.result, &theirs)?;
    }
    let (ours, theirs) = (of_ours(ours.result), of_theirs(&theirs));
    let mut compared = 0;
    for (labels, points) in &ours {
        let other = theirs.get(labels);
        let other = other.ok_or_else(|| format!("only ours has {labels:?}: {points:?}"))?;
        if points.len() != other.len() {
            return Err(format!("{labels:?}: ours {points:?}, theirs {other:?}"));
        }
        for ((time, ours), (their_time, theirs)) in points.iter().zip(other) {
            let same =
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| equal(*a, *b));
            if time != their_time || !same {
                return Err(format!(
                    "{labels:?}: ours {ours:?} at {time}, theirs {theirs:?} at {their_time}"
                ));
            }
            compared += 1;
        }
    }
    let missing = theirs.keys().find(|labels| !ours.contains_key(*labels));
    match missing {
        Some(labels) => Err(format!("only theirs has {labels:?}: {:?}", theirs[labels])),
        None => Ok(compared),
    }
}

/// Checks that the values of two vectors have the same order: equal ones may have any labels.
fn in_order(ours: &QueryResult, theirs: &Value) -> Result<(), String> {
    let QueryResult::Vector(ours) = ours else {
        return Ok(());
    };
    let ours = ours.iter().map(|sample| numbers(&sample.value));
    let theirs = theirs["result"].as_array().expect("a list").iter();
    let theirs = theirs.filter(|series| series["value"].is_array());
    let theirs = theirs.map(|series| pair(&series["value"]).1);
    let (ours, theirs): (Vec<_>, Vec<_>) = (ours.collect(), theirs.collect());
    let mut pairs = ours.iter().zip(&theirs);
    if pairs.all(|(a, b)| a.iter().zip(b).all(|(a, b)| equal(*a, *b))) {
        return Ok(());
    }
    Err(format!("ours {ours:?}, theirs {theirs:?}"))
}

#[expect(
    clippy::float_cmp,
    reason = "the infinities; others are compared below"
)]
fn equal(a: f64, b: f64) -> bool {
    let difference = (a - b).abs();
    a == b
        || (a.is_nan() && b.is_nan())
        || difference < NOTHING
        || difference / a.abs().max(b.abs()) < EPSILON
}

fn key(labels: &LabelSet) -> BTreeMap<String, String> {
    let labels = labels.iter();
    labels
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn of_ours(result: QueryResult) -> BTreeMap<BTreeMap<String, String>, Points> {
    let single =
        |labels: &LabelSet, value: &PointValue| (key(labels), Points::from([(0, numbers(value))]));
    match result {
        QueryResult::Scalar(value) => {
            BTreeMap::from([single(&LabelSet::empty(), &PointValue::Float(value))])
        }
        QueryResult::Text(_) => BTreeMap::new(),
        QueryResult::Vector(vector) => vector
            .iter()
            .map(|sample| single(&sample.labels, &sample.value))
            .collect(),
        QueryResult::Matrix(series) => {
            let points = |series: &Series| {
                let samples = series.samples.iter();
                samples
                    .map(|sample| (sample.time, numbers(&sample.value)))
                    .collect()
            };
            series
                .iter()
                .map(|series| (key(&series.labels), points(series)))
                .collect()
        }
    }
}

fn numbers(value: &PointValue) -> Vec<f64> {
    match value {
        PointValue::Float(value) => vec![*value],
        PointValue::Histogram(histogram) => of_histogram(histogram),
    }
}

fn of_histogram(histogram: &FloatHistogram) -> Vec<f64> {
    let buckets = histogram.buckets().filter(|bucket| bucket.count != 0.0);
    let buckets = buckets.flat_map(|bucket| [bucket.lower, bucket.upper, bucket.count]);
    [histogram.count, histogram.sum]
        .into_iter()
        .chain(buckets)
        .collect()
}

fn of_theirs(data: &Value) -> BTreeMap<BTreeMap<String, String>, Points> {
    let result = &data["result"];
    if data["resultType"] == "scalar" {
        return BTreeMap::from([(BTreeMap::new(), Points::from([(0, pair(result).1)]))]);
    }
    let series = result.as_array().expect("a list").iter().map(|series| {
        let labels = series["metric"].as_object().expect("labels").iter();
        let labels = labels.map(|(name, value)| (name.clone(), text(value)));
        let mut points = Points::new();
        for single in ["value", "histogram"] {
            if series[single].is_array() {
                points.insert(0, pair(&series[single]).1);
            }
        }
        for many in ["values", "histograms"] {
            points.extend(series[many].as_array().into_iter().flatten().map(pair));
        }
        (labels.collect(), points)
    });
    series.collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn number(value: &Value) -> f64 {
    text(value).parse().expect("a number")
}

/// A time in seconds and a number or histogram.
fn pair(value: &Value) -> (i64, Vec<f64>) {
    let seconds = value[0].as_f64().expect("a time");
    #[expect(clippy::cast_possible_truncation, reason = "a time of this century")]
    let time = (seconds * 1_000.0).round() as i64;
    let of = &value[1];
    if of.is_string() {
        return (time, vec![number(of)]);
    }
    let mut numbers = vec![number(&of["count"]), number(&of["sum"])];
    for bucket in of["buckets"].as_array().into_iter().flatten() {
        numbers.extend([number(&bucket[1]), number(&bucket[2]), number(&bucket[3])]);
    }
    (time, numbers)
}
