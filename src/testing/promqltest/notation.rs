//! Parses the notation of Prometheus' tests: `name{label="value"} 1 2+3x4 _ stale {{…}}x2`.

use std::sync::Arc;

use crate::promql::{LabelSet, METRIC_NAME, PointValue};
use crate::util::STALE;

use super::histogram;

/// The limit of values of one series, including repetitions.
const MAX_VALUES: usize = 1_000_000;

/// A series and its value at each step; `None` for no value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) labels: LabelSet,
    pub(crate) values: Vec<Option<PointValue>>,
}

/// Parses a line.
pub(crate) fn line(text: &str) -> Result<Line, String> {
    let (labels, rest) = labels(text)?;
    Ok(Line {
        labels,
        values: values(rest)?,
    })
}

/// Parses the labels at the start of a text; also returns the rest.
pub(crate) fn labels(text: &str) -> Result<(LabelSet, &str), String> {
    let text = text.trim_start();
    let end = text.find(|c: char| c == '{' || c.is_whitespace());
    let (name, mut rest) = text.split_at(end.unwrap_or(text.len()));
    let mut labels: Vec<(Arc<str>, Arc<str>)> = Vec::new();
    if !name.is_empty() {
        labels.push((METRIC_NAME.into(), name.into()));
    }
    if rest.starts_with("{{") {
        return Ok((LabelSet::new(labels), rest));
    }
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner.trim_start();
        while !rest.starts_with('}') {
            let (key, after) = if rest.starts_with('"') {
                quoted(rest)?
            } else {
                let end = rest.find(|c: char| matches!(c, '=' | ',' | '}') || c.is_whitespace());
                let (key, after) = rest.split_at(end.ok_or("the labels do not end")?);
                (key.to_owned(), after)
            };
            let after = after.trim_start();
            if let Some(value) = after.strip_prefix('=') {
                let (value, after) = quoted(value.trim_start())?;
                labels.push((key.into(), value.into()));
                rest = after.trim_start();
            } else {
                // A name in quotes has no `=`.
                labels.push((METRIC_NAME.into(), key.into()));
                rest = after;
            }
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        rest = &rest[1..];
    }
    Ok((LabelSet::new(labels), rest))
}

/// Parses the quoted text at the start of `text`; also returns the rest.
pub(crate) fn quoted(text: &str) -> Result<(String, &str), String> {
    let missing = || format!("a text in quotes is missing: {text}");
    let quote = text
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\'' | '`'));
    let quote = quote.ok_or_else(missing)?;
    let mut value = String::new();
    let mut rest = text[1..].chars();
    loop {
        let next = rest.next().ok_or_else(missing)?;
        match next {
            _ if next == quote => return Ok((value, rest.as_str())),
            '\\' if quote != '`' => value.push(match rest.next().ok_or_else(missing)? {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            _ => value.push(next),
        }
    }
}

/// Parses values separated by blanks.
fn values(text: &str) -> Result<Vec<Option<PointValue>>, String> {
    let mut values = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        rest = if rest.starts_with("{{") {
            histograms(rest, &mut values)?
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            floats(word, &mut values).ok_or_else(|| format!("{word:?} is not a value"))?;
            after
        }
        .trim_start();
        if values.len() > MAX_VALUES {
            return Err(format!("more than {MAX_VALUES} values"));
        }
    }
    Ok(values)
}

fn repeat(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| *count < MAX_VALUES)
}

/// Parses one or several numbers: `_`, `_x3`, `1`, `1x3`, `1+2x3`, `1-2x3`, `stale`.
fn floats(word: &str, values: &mut Vec<Option<PointValue>>) -> Option<()> {
    if let Some(gap) = word.strip_prefix('_') {
        let times = if gap.is_empty() {
            1
        } else {
            repeat(gap.strip_prefix('x')?)?
        };
        values.extend(std::iter::repeat_n(None, times));
        return Some(());
    }
    // `0x3` is zero and three more, not a hexadecimal number.
    let repeated = word
        .rsplit_once('x')
        .and_then(|(pattern, times)| Some((pattern, repeat(times)?)));
    let Some((pattern, times)) = repeated else {
        values.push(Some(float(word)?));
        return Some(());
    };
    if let Some(value) = float(pattern) {
        values.extend(std::iter::repeat_n(Some(value), times + 1));
        return Some(());
    }
    // The sign between start and step: not a leading one, nor one of an exponent.
    let at = pattern.char_indices().skip(1).find_map(|(at, c)| {
        let exponent = matches!(pattern.as_bytes().get(at - 1), Some(b'e' | b'E'))
            && !pattern.starts_with("0x");
        (matches!(c, '+' | '-') && !exponent).then_some(at)
    })?;
    let (start, step) = pattern.split_at(at);
    let step = number(step.strip_prefix('+').unwrap_or(step))?;
    let mut value = number(start)?;
    for _ in 0..=times {
        values.push(Some(value.into()));
        value += step;
    }
    Some(())
}

fn float(word: &str) -> Option<PointValue> {
    match word {
        "stale" => Some(f64::from_bits(STALE).into()),
        _ => number(word).map(Into::into),
    }
}

/// Parses a PromQL number.
pub(crate) fn number(word: &str) -> Option<f64> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, word.strip_prefix('+').unwrap_or(word)),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok()? as f64,
        None => digits.parse().ok()?,
    };
    Some(sign * value)
}

/// Parses `{{…}}`, `{{…}}x3`, `{{…}}+{{…}}x3`; returns the rest.
fn histograms<'a>(text: &'a str, values: &mut Vec<Option<PointValue>>) -> Result<&'a str, String> {
    let (first, rest) = histogram::parse(text)?;
    let (step, rest) = match rest.as_bytes().first() {
        Some(b'+') => histogram::parse(&rest[1..]).map(|(step, rest)| (Some((step, 1.0)), rest))?,
        Some(b'-') => {
            histogram::parse(&rest[1..]).map(|(step, rest)| (Some((step, -1.0)), rest))?
        }
        _ => (None, rest),
    };
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (times, after) = rest.split_at(end);
    let times = match times.strip_prefix('x') {
        Some(times) => {
            repeat(times).ok_or_else(|| format!("{times:?} is not a number of repetitions"))?
        }
        None if times.is_empty() => 0,
        None => return Err(format!("unexpected {times:?} after a histogram")),
    };
    let mut value = first;
    for _ in 0..=times {
        values.push(Some(value.clone().into()));
        if let Some((step, sign)) = &step {
            value = value
                .plus(step, *sign)
                .ok_or("the two histograms cannot be added")?;
        }
    }
    Ok(after)
}
