//! Native histograms in the notation of tests: `{{schema:0 count:4 sum:5 buckets:[1 2 1]}}`.

use crate::promql::{FloatHistogram, ResetHint};

use super::notation::number;

/// Parses the histogram at the start of a text; also returns the rest.
pub(crate) fn parse(text: &str) -> Result<(FloatHistogram, &str), String> {
    let inner = text
        .strip_prefix("{{")
        .and_then(|rest| rest.split_once("}}"));
    let (mut inner, after) = inner.ok_or_else(|| format!("not a histogram: {text}"))?;
    let mut histogram = FloatHistogram::default();
    let (mut offset, mut negative_offset) = (0, 0);
    let (mut positive, mut negative) = (Vec::new(), Vec::new());
    loop {
        inner = inner.trim_start();
        if inner.is_empty() {
            break;
        }
        let Some((key, rest)) = inner.split_once(':') else {
            return Err(format!("a colon is missing in the histogram: {inner}"));
        };
        let (value, rest) = if rest.starts_with('[') {
            rest.split_once(']')
                .ok_or("a list of the histogram does not end")?
        } else {
            rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()))
        };
        inner = rest;
        let list = || {
            let words = value.trim_start_matches('[').split_whitespace();
            words.map(number).collect::<Option<Vec<f64>>>()
        };
        let wrong = || format!("{value:?} is not a value of {key:?}");
        match key {
            "schema" => histogram.schema = value.parse().map_err(|_| wrong())?,
            "sum" => histogram.sum = number(value).ok_or_else(wrong)?,
            "count" => histogram.count = number(value).ok_or_else(wrong)?,
            "z_bucket" => histogram.zero_count = number(value).ok_or_else(wrong)?,
            "z_bucket_w" => histogram.zero_threshold = number(value).ok_or_else(wrong)?,
            "buckets" => positive = list().ok_or_else(wrong)?,
            "n_buckets" => negative = list().ok_or_else(wrong)?,
            "offset" => offset = value.parse().map_err(|_| wrong())?,
            "n_offset" => negative_offset = value.parse().map_err(|_| wrong())?,
            "custom_values" => histogram.bounds = list().ok_or_else(wrong)?.into(),
            "counter_reset_hint" => {
                histogram.reset_hint = match value {
                    "unknown" => ResetHint::Unknown,
                    "reset" => ResetHint::Reset,
                    "not_reset" => ResetHint::NotReset,
                    "gauge" => ResetHint::Gauge,
                    _ => return Err(wrong()),
                }
            }
            _ => return Err(format!("histograms have no {key:?}")),
        }
    }
    histogram.positive = (offset..).zip(positive).collect();
    histogram.negative = (negative_offset..).zip(negative).collect();
    Ok((histogram, after))
}
