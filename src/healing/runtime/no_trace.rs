//! Replacement of `trace` without the feature `tracing`: silent, except for alerts for which
//! logging was requested.

use std::io::Write as _;

use super::alert_hook::AlertChange;
use crate::healing::core::{Name, Notice, Record, Start};

#[derive(Clone)]
pub(super) struct Span;

pub(super) fn attempt(_: &Start) -> Span {
    Span
}

pub(super) fn within<F: Future>(_: &Span, task: F) -> F {
    task
}

pub(super) fn record(_: &Record) {}

pub(super) fn notice(_: &Notice) {}

pub(super) fn detect_failed(_: &Name, _: &str) {}

pub(super) fn orphaned(_: usize) {}

pub(super) fn remark(_: &Name, _: &str) {}

pub(super) fn alert(change: &AlertChange) {
    // A closed standard error must not cause a panic.
    let _ = writeln!(std::io::stderr(), "selfheal: alert {change}");
}
