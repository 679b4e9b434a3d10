//! Events as `tracing` spans and events.

pub(super) use tracing::Span;
use tracing::{Instrument, debug, error, info, info_span, warn};

use super::alert_hook::AlertChange;
use crate::healing::core::{AttemptResult, Name, Notice, Record, Severity, Start, What};
use crate::util::Printable;

/// The span of an attempt's calls, with the identifier that the journal has.
pub(super) fn attempt(start: &Start) -> Span {
    info_span!(
        "heal",
        attempt = start.intent.attempt.0,
        key = %start.issue.key,
        engine = %start.intent.engine,
        action = %start.intent.action,
        step = start.intent.step,
        nth = start.intent.nth,
    )
}

pub(super) fn within<F: Future>(span: &Span, task: F) -> impl Future<Output = F::Output> + use<F> {
    task.instrument(span.clone())
}

/// Emits one event for each record.
pub(super) fn record(record: &Record) {
    let seq = record.seq;
    match &record.what {
        What::Opened { issue, engine } => warn!(
            seq, key = %issue.key, severity = issue.severity.as_str(), %engine, "issue opened"
        ),
        What::AttemptStarted(intent) => info!(
            seq, key = %intent.key, action = %intent.action, attempt = intent.attempt.0,
            nth = intent.nth, "attempt started"
        ),
        What::AttemptFinished {
            attempt,
            key,
            action,
            result: AttemptResult::Ok,
            took,
            ..
        } => info!(seq, %key, %action, attempt = attempt.0, ?took, "attempt finished"),
        What::AttemptFinished {
            attempt,
            key,
            action,
            result,
            took,
            message,
            ..
        } => warn!(
            seq, %key, %action, attempt = attempt.0, result = result.as_str(), ?took, %message,
            "attempt finished"
        ),
        What::Verified {
            key, action, good, ..
        } => info!(seq, %key, %action, good, "verified"),
        What::Moved {
            key,
            reason: Some(reason),
            ..
        } if reason.blocks() => error!(seq, %key, reason = reason.as_str(), "given up"),
        What::Closed { key, outcome, .. } => {
            info!(seq, %key, outcome = outcome.as_str(), "issue closed");
        }
        What::Escalated { id, level, why, .. } => {
            error!(seq, %id, level = level.as_str(), %why, "escalated");
        }
        What::Deescalated { id } => info!(seq, %id, "ready again"),
        What::Controlled { control, by } => info!(seq, ?control, ?by, "controlled"),
        // The alert receivers get these, and may log them.
        What::Raised(_) | What::Resolved(_) => {}
        what => debug!(seq, ?what, "healing"),
    }
}

pub(super) fn notice(notice: &Notice) {
    warn!(?notice, "healing");
}

pub(super) fn detect_failed(engine: &Name, why: &str) {
    let why = Printable(why);
    warn!(%engine, %why, "a detector failed");
}

pub(super) fn orphaned(engines: usize) {
    info!(engines, "healing has ended with its runtime");
}

pub(super) fn remark(engine: &Name, text: &str) {
    warn!(%engine, "{text}");
}

pub(super) fn alert(change: &AlertChange) {
    match (change, change.alert().severity) {
        (AlertChange::Resolved(_), _) => info!("alert {change}"),
        (_, Severity::Error | Severity::Critical) => error!("alert {change}"),
        _ => warn!("alert {change}"),
    }
}
