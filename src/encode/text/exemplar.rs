//! What OpenMetrics alone has: exemplars behind a value, and when a series was created.

use super::head::Head;
use super::number;
use crate::registry::Exemplar;

/// Writes an exemplar behind the value of a sample. One whose value is no number is left out.
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

/// Writes the line that says since when a series counts. Prometheus takes nothing but a finite
/// time.
pub(super) fn created(buf: &mut Vec<u8>, head: &Head, labels: &str, at: f64) {
    if at.is_finite() {
        head.write(buf, labels);
        number::float(buf, at);
        buf.push(b'\n');
    }
}
