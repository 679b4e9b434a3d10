//! Exemplars and creation times, which only OpenMetrics has.

use super::head::Head;
use super::number;
use crate::registry::Exemplar;

/// Writes an exemplar after the value of a sample. One with a non-finite value is left out.
#[cold]
pub(super) fn exemplar(buf: &mut Vec<u8>, exemplar: &Exemplar) {
    if !exemplar.value.is_finite() {
        return;
    }
    buf.extend_from_slice(b" # {");
    buf.extend_from_slice(exemplar.labels().as_bytes());
    buf.extend_from_slice(b"} ");
    number::float(buf, exemplar.value);
    if exemplar.at.is_finite() {
        buf.push(b' ');
        number::float(buf, exemplar.at);
    }
}

/// Writes the line with the creation time of a series. Prometheus only accepts a finite time.
pub(super) fn created(buf: &mut Vec<u8>, head: &Head, labels: &str, at: f64) {
    if at.is_finite() {
        head.write(buf, labels);
        number::float(buf, at);
        buf.push(b'\n');
    }
}
