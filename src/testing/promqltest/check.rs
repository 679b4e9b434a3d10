//! Compares a result with the expectation of a corpus file.

use regex::Regex;

use super::notation;
use super::script::{Evaluation, Kind, Note, Words};
use crate::promql::{
    Annotation, Answer, FloatHistogram, InstantSample, LabelSet, PointValue, QueryError,
    QueryResult, Sample, Series, Severity,
};

/// The tolerated relative difference.
const EPSILON: f64 = 1e-6;

pub(super) fn answer(evaluation: &Evaluation, answer: &Answer) -> Result<(), String> {
    let expected = &evaluation.expected;
    if expected.fails {
        return Err("it was expected to fail".to_owned());
    }
    for (kind, severity) in [
        (Kind::Warn, Severity::Warning),
        (Kind::Info, Severity::Info),
    ] {
        let notes = answer.annotations.iter();
        let notes: Vec<String> = notes
            .filter(|note| note.severity == severity)
            .map(Annotation::to_string)
            .collect();
        let wanted = expected.notes.iter().filter(|note| note.kind == kind);
        remarks(&wanted.collect::<Vec<_>>(), &notes)?;
    }
    match &answer.result {
        QueryResult::Text(text) => match &expected.text {
            Some(expected) if **expected == **text => Ok(()),
            _ => Err(format!("got the text {text:?}")),
        },
        QueryResult::Scalar(value) => {
            let number = expected
                .lines
                .first()
                .and_then(|line| notation::number(line));
            match number {
                Some(number) if equal(number, *value) => Ok(()),
                _ => Err(format!("got {value}")),
            }
        }
        QueryResult::Vector(vector) => instant(evaluation, vector),
        QueryResult::Matrix(series) => {
            let (start, step) = expected
                .range
                .unwrap_or((evaluation.start, evaluation.step.unwrap_or(1)));
            range(evaluation, series, start, step)
        }
    }
}

fn remarks(wanted: &[&Note], notes: &[String]) -> Result<(), String> {
    if wanted.iter().any(|note| note.none) && !notes.is_empty() {
        return Err(format!("unexpected: {}", notes.join("; ")));
    }
    for note in wanted.iter().filter(|note| !note.none) {
        if !notes.iter().any(|found| says(&note.words, found)) {
            return Err(format!("expected a remark {:?}, got {notes:?}", note.words));
        }
    }
    Ok(())
}

fn says(words: &Words, text: &str) -> bool {
    match words {
        Words::Any => true,
        Words::Message(message) => message == text,
        Words::Pattern(pattern) => Regex::new(pattern).is_ok_and(|regex| regex.is_match(text)),
    }
}

pub(super) fn error(evaluation: &Evaluation, error: &QueryError) -> Result<(), String> {
    let expected = &evaluation.expected;
    if !expected.fails {
        return Err(error.to_string());
    }
    let (QueryError::Syntax { message, .. } | QueryError::Evaluation { message, .. }) = error
    else {
        return Err(error.to_string());
    };
    let wanted = expected.notes.iter().filter(|note| note.kind == Kind::Fail);
    for note in wanted {
        if !says(&note.words, message) {
            return Err(format!(
                "expected the fault {:?}, got {message:?}",
                note.words
            ));
        }
    }
    Ok(())
}

fn instant(evaluation: &Evaluation, vector: &[InstantSample]) -> Result<(), String> {
    let lines = evaluation.expected.lines.iter();
    let lines: Vec<_> = lines
        .map(|line| notation::line(line))
        .collect::<Result<_, _>>()?;
    if lines.len() != vector.len() {
        return Err(format!("expected {} samples, got {vector:?}", lines.len()));
    }
    for (at, line) in lines.iter().enumerate() {
        let found = vector
            .iter()
            .position(|sample| sample.labels == line.labels);
        let found = found.ok_or_else(|| format!("{} is not in {vector:?}", line.labels))?;
        if evaluation.expected.ordered && found != at {
            return Err(format!("{} is not at its place in {vector:?}", line.labels));
        }
        let value = line.values.first().and_then(Option::as_ref);
        if !value
            .is_some_and(|value| same(value, &vector[found].value, line_has_hint(evaluation, at)))
        {
            return Err(format!("expected {value:?}, got {:?}", vector[found]));
        }
    }
    Ok(())
}

fn line_has_hint(evaluation: &Evaluation, at: usize) -> bool {
    let line = evaluation.expected.lines.get(at);
    line.is_some_and(|line| line.contains("counter_reset_hint"))
}

fn range(evaluation: &Evaluation, series: &[Series], start: i64, step: i64) -> Result<(), String> {
    let lines = evaluation.expected.lines.iter();
    let mut lines: Vec<_> = lines
        .map(|line| notation::line(line))
        .collect::<Result<_, _>>()?;
    // A single number is a scalar.
    for (line, text) in lines.iter_mut().zip(&evaluation.expected.lines) {
        if line.values.is_empty()
            && let Some(value) = notation::number(text)
        {
            line.labels = LabelSet::empty();
            line.values = vec![Some(value.into())];
        }
    }
    if lines.len() != series.len() {
        return Err(format!("expected {} series, got {series:?}", lines.len()));
    }
    for (at, line) in lines.iter().enumerate() {
        let found = series.iter().find(|series| series.labels == line.labels);
        let found = found.ok_or_else(|| format!("{} is not in {series:?}", line.labels))?;
        let expected = (0..).zip(&line.values).filter_map(|(at, value)| {
            Some(Sample {
                time: start + at * step,
                value: value.clone()?,
            })
        });
        let expected: Vec<Sample> = expected.collect();
        let hint = line_has_hint(evaluation, at);
        let is_same = expected.len() == found.samples.len()
            && expected.iter().zip(&found.samples).all(|(expected, got)| {
                expected.time == got.time && same(&expected.value, &got.value, hint)
            });
        if !is_same {
            return Err(format!("expected {expected:?}, got {found:?}"));
        }
    }
    Ok(())
}

fn same(expected: &PointValue, got: &PointValue, hint: bool) -> bool {
    match (expected, got) {
        (PointValue::Float(expected), PointValue::Float(got)) => equal(*expected, *got),
        (PointValue::Histogram(expected), PointValue::Histogram(got)) => {
            same_histogram(expected, got, hint)
        }
        _ => false,
    }
}

#[expect(
    clippy::float_cmp,
    reason = "the infinities are equal; others are compared below"
)]
pub(super) fn equal(expected: f64, got: f64) -> bool {
    if expected == got || (expected.is_nan() && got.is_nan()) {
        return true;
    }
    let difference = (expected - got).abs();
    let size = expected.abs() + got.abs();
    if expected == 0.0 || got == 0.0 || size < f64::MIN_POSITIVE {
        return difference < EPSILON * f64::MIN_POSITIVE;
    }
    difference / size.min(f64::MAX) < EPSILON
}

fn same_histogram(expected: &FloatHistogram, got: &FloatHistogram, hint: bool) -> bool {
    let buckets = |histogram: &FloatHistogram| {
        let (positive, negative) = (&histogram.positive, &histogram.negative);
        let filled = |buckets: &[(i32, f64)]| {
            let buckets = buckets.iter().copied();
            buckets
                .filter(|(_, count)| *count != 0.0)
                .collect::<Vec<_>>()
        };
        (filled(positive), filled(negative))
    };
    let same_buckets = |expected: &[(i32, f64)], got: &[(i32, f64)]| {
        expected.len() == got.len()
            && expected
                .iter()
                .zip(got)
                .all(|(a, b)| a.0 == b.0 && equal(a.1, b.1))
    };
    let (expected_buckets, got_buckets) = (buckets(expected), buckets(got));
    expected.schema == got.schema
        && equal(expected.count, got.count)
        && equal(expected.sum, got.sum)
        && equal(expected.zero_count, got.zero_count)
        && equal(expected.zero_threshold, got.zero_threshold)
        && expected.bounds == got.bounds
        && same_buckets(&expected_buckets.0, &got_buckets.0)
        && same_buckets(&expected_buckets.1, &got_buckets.1)
        && (!hint || expected.reset_hint == got.reset_hint)
}
