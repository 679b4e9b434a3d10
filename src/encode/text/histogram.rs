//! The lines of histograms and summaries in both text formats.

use std::sync::Arc;

use super::head::{Head, sample};
use super::{exemplar, number};
use crate::encode::exemplars::{latest, up_to};
use crate::registry::{HistogramRef, Number};

/// The line prefixes of a histogram or a summary.
#[derive(Debug)]
pub(super) struct Heads {
    /// Buckets or quantiles.
    pub(super) parts: Head,
    pub(super) sum: Head,
    pub(super) count: Head,
}

/// The suffixes of bucket lines, from the label `le` to the space before the value, rendered once
/// for all series with the same bounds, of one family after the other.
#[derive(Debug, Default)]
pub(in crate::encode) struct Bounds {
    of: Option<Arc<[f64]>>,
    /// `,le="0.5"} ` for each bound, `+Inf` last.
    text: Vec<u8>,
    /// The end of each.
    ends: Vec<usize>,
    /// OpenMetrics: with a negative bound the sum may decrease, and sum and count must be omitted
    /// (section "Histogram").
    negative: bool,
}

/// The length of a suffix whose bound has up to five digits.
const USUAL: usize = 16;

impl Bounds {
    /// Renders these bounds, unless they were rendered last. False if they are not valid for a
    /// histogram.
    fn set(&mut self, bounds: &Arc<[f64]>, openmetrics: bool) -> bool {
        if let Some(of) = &mut self.of {
            if Arc::ptr_eq(of, bounds) {
                return true;
            }
            if of == bounds {
                // The next series of this family shares them.
                *of = Arc::clone(bounds);
                return true;
            }
        }
        let rising = bounds.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || bounds.iter().any(|bound| !bound.is_finite()) {
            return false;
        }
        self.text.clear();
        self.text.reserve((bounds.len() + 1) * USUAL);
        self.ends.clear();
        self.ends.reserve(bounds.len() + 1);
        for bound in bounds.iter().chain([&f64::INFINITY]) {
            self.text.extend_from_slice(b",le=\"");
            number::canonical(&mut self.text, *bound, openmetrics);
            self.text.extend_from_slice(b"\"} ");
            self.ends.push(self.text.len());
        }
        self.negative = bounds.first().is_some_and(|bound| *bound < 0.0);
        self.of = Some(Arc::clone(bounds));
        true
    }
}

/// Writes one histogram; false if it is invalid. The text formats have no native buckets: if there
/// are no others, all observations are in the `+Inf` bucket.
pub(super) fn histogram(
    buf: &mut Vec<u8>,
    heads: &Heads,
    bounds: &mut Bounds,
    labels: &str,
    histogram: HistogramRef<'_>,
    openmetrics: bool,
) -> bool {
    let all = [histogram.count()];
    let counts = if histogram.is_classic() {
        histogram.counts
    } else {
        &all
    };
    if counts.len() != histogram.bounds.len() + 1 || !bounds.set(histogram.bounds, openmetrics) {
        return false;
    }
    let start = buf.len();
    heads.parts.write_open(buf, labels);
    // Later lines copy the first one.
    let open = start..buf.len();
    let comma = usize::from(buf.ends_with(b"{"));
    let mut count = 0_u64;
    let mut exemplars = if openmetrics {
        histogram.exemplars
    } else {
        &[]
    };
    let mut end = 0;
    for (at, (next, n)) in bounds.ends.iter().zip(counts).enumerate() {
        if at > 0 {
            buf.extend_from_within(open.clone());
        }
        buf.extend_from_slice(&bounds.text[end + comma..*next]);
        end = *next;
        count = count.wrapping_add(*n);
        number::whole(buf, count);
        if !exemplars.is_empty() {
            let bound = histogram.bounds.get(at).copied();
            let within = up_to(&mut exemplars, bound.unwrap_or(f64::INFINITY));
            if let Some(one) = latest(within) {
                exemplar::exemplar(buf, one);
            }
        }
        buf.push(b'\n');
    }
    // With negative observations, the sum is no counter (section "Histogram").
    let falls = bounds.negative || histogram.native.is_some_and(|own| !own.negative.is_empty());
    if !(openmetrics && falls) {
        let sum = Number::F64(histogram.sum);
        sample(buf, &heads.sum, labels, sum, None);
        sample(buf, &heads.count, labels, Number::U64(count), None);
    }
    true
}

/// Writes one summary.
pub(super) fn summary(
    buf: &mut Vec<u8>,
    heads: &Heads,
    labels: &str,
    (quantiles, sum, count): (&[(f64, f64)], f64, u64),
    openmetrics: bool,
) {
    for (quantile, value) in quantiles {
        heads.parts.write_open(buf, labels);
        if !buf.ends_with(b"{") {
            buf.push(b',');
        }
        buf.extend_from_slice(b"quantile=\"");
        number::canonical(buf, *quantile, openmetrics);
        buf.extend_from_slice(b"\"} ");
        number::float(buf, *value);
        buf.push(b'\n');
    }
    sample(buf, &heads.sum, labels, Number::F64(sum), None);
    sample(buf, &heads.count, labels, Number::U64(count), None);
}
