//! Prometheus's remote write, version 1, as far as series of floats and float histograms need it.

use prost::Message;

use selfheal::promql::{FloatHistogram, PointValue, Series};

use crate::support::prometheus::Prometheus;

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    series: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
    #[prost(message, repeated, tag = "4")]
    histograms: Vec<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    time: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    // Members of a oneof: they are written even if they are zero.
    #[prost(double, optional, tag = "2")]
    count: Option<f64>,
    #[prost(double, tag = "3")]
    sum: f64,
    #[prost(sint32, tag = "4")]
    schema: i32,
    #[prost(double, tag = "5")]
    zero_threshold: f64,
    #[prost(double, optional, tag = "7")]
    zero_count: Option<f64>,
    #[prost(message, repeated, tag = "8")]
    negative_spans: Vec<Span>,
    #[prost(double, repeated, tag = "10")]
    negative: Vec<f64>,
    #[prost(message, repeated, tag = "11")]
    positive_spans: Vec<Span>,
    #[prost(double, repeated, tag = "13")]
    positive: Vec<f64>,
    #[prost(int64, tag = "15")]
    time: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

/// Writes all series in one request.
pub(super) fn write(server: &Prometheus, series: &[Series]) {
    let request = WriteRequest {
        series: series.iter().map(time_series).collect(),
    };
    server.write(&snappy(&request.encode_to_vec()));
}

fn time_series(series: &Series) -> TimeSeries {
    let label = |(name, value): (&str, &str)| Label {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let mut found = TimeSeries {
        labels: series.labels.iter().map(label).collect(),
        ..TimeSeries::default()
    };
    for sample in &series.samples {
        match &sample.value {
            PointValue::Float(value) => found.samples.push(Sample {
                value: *value,
                time: sample.time,
            }),
            PointValue::Histogram(value) => found.histograms.push(histogram(value, sample.time)),
        }
    }
    found
}

fn histogram(histogram: &FloatHistogram, time: i64) -> Histogram {
    let (positive_spans, positive) = spans(&histogram.positive);
    let (negative_spans, negative) = spans(&histogram.negative);
    Histogram {
        count: Some(histogram.count),
        sum: histogram.sum,
        schema: histogram.schema,
        zero_threshold: histogram.zero_threshold,
        zero_count: Some(histogram.zero_count),
        negative_spans,
        negative,
        positive_spans,
        positive,
        time,
    }
}

fn spans(buckets: &[(i32, f64)]) -> (Vec<Span>, Vec<f64>) {
    let mut spans: Vec<Span> = Vec::new();
    let mut next = 0;
    for (index, _) in buckets {
        match spans.last_mut().filter(|_| *index == next) {
            Some(span) => span.length += 1,
            None => spans.push(Span {
                offset: index - next,
                length: 1,
            }),
        }
        next = index + 1;
    }
    (spans, buckets.iter().map(|(_, count)| *count).collect())
}

/// The block format of Snappy without compression: the length, then literals.
fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 1_000 + 16);
    let mut rest = bytes.len();
    while rest >= 0x80 {
        out.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
        rest >>= 7;
    }
    out.push(u8::try_from(rest).unwrap());
    for literal in bytes.chunks(65_536) {
        let last = u16::try_from(literal.len() - 1).unwrap();
        out.push(61 << 2);
        out.extend(last.to_le_bytes());
        out.extend(literal);
    }
    out
}
