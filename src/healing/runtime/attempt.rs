//! Attempts and rollbacks: from the decision to the report of their end.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::call::{End, run};
use super::shell::Shell;
use super::slots::Slot;
use super::trace;
use crate::healing::core::{AttemptId, AttemptResult, Event, Moment, Risk, ShortText, Start, Work};
use crate::healing::engine::{Context, HealErrorKind, Precondition};

/// Starts a task that sends exactly one report. The record `written_first` must be in the journal
/// before it acts.
pub(super) fn start(shell: &Arc<Shell>, start: Start, written_first: u64) {
    let id = start.intent.attempt;
    let token = CancellationToken::new();
    shell.running.lock().insert(id, token.clone());
    let slot = shell.slot(&start.intent.engine);
    let written = shell.journal.written(written_first);
    let deadline = shell.timeline.in_time(start.intent.timeout);
    let own = Arc::clone(shell);
    shell.spawn(async move {
        let end = match slot {
            None => ended(id, AttemptResult::Failed, "its engine is gone"),
            Some(_) if !written.await && start.intent.risk != Risk::Reversible => ended(
                id,
                AttemptResult::Cancelled,
                "the intent could not be written to the journal",
            ),
            Some(slot) => {
                let call = attempt(&own, &slot, &start, deadline, token);
                slot.calls.track_future(call).await
            }
        };
        own.running.lock().remove(&id);
        own.feed(end);
    });
}

async fn attempt(
    shell: &Shell,
    slot: &Slot,
    start: &Start,
    deadline: Moment,
    token: CancellationToken,
) -> Event {
    let id = start.intent.attempt;
    let grace = shell.policy(|policy| policy.grace);
    let span = trace::attempt(start);
    let context = |token: &CancellationToken| {
        let timeline = shell.timeline.clone();
        Context::until(timeline, deadline, Some(id), token.clone())
    };
    if token.is_cancelled() {
        return called_off(id);
    }
    if start.intent.work == Work::Heal {
        let cx = context(&token);
        let (engine, issue, own) = (Arc::clone(&slot.engine), start.issue.clone(), cx.clone());
        let precondition = async move { engine.precondition(&own, &issue).await };
        match run(&cx, grace, trace::within(&span, precondition)).await {
            End::Done(Precondition::Proceed) => {}
            End::Done(Precondition::Stale) => {
                return ended(id, AttemptResult::Stale, "the fault has changed");
            }
            End::Done(Precondition::Refuse(why)) => {
                return ended(id, AttemptResult::Failed, format!("refused: {why}"));
            }
            End::Panicked(text) => return ended(id, AttemptResult::Panicked, text),
            End::Cancelled => return called_off(id),
        }
        if token.is_cancelled() {
            return called_off(id);
        }
    }
    let cx = context(&token);
    let (engine, issue, own) = (Arc::clone(&slot.engine), start.issue.clone(), cx.clone());
    let (work, action) = (start.intent.work, start.intent.action.clone());
    let call = async move {
        let done = match work {
            Work::Heal => engine.heal(&own, &issue, action.as_str()).await,
            Work::Rollback => engine.rollback(&own, &issue, action.as_str()).await,
        };
        // The error is of a user's type: it is read and dropped inside of this task.
        done.map_err(|error| (error.kind(), error.text()))
    };
    match run(&cx, grace, trace::within(&span, call)).await {
        End::Done(Ok(())) => ended(id, AttemptResult::Ok, ""),
        // An error after a cancellation counts as cancelled.
        End::Done(Err((_, text))) if token.is_cancelled() => {
            ended(id, AttemptResult::Cancelled, text)
        }
        End::Done(Err((kind, message))) => Event::Ended {
            attempt: id,
            result: AttemptResult::Failed,
            message,
            hopeless: kind == HealErrorKind::Permanent,
        },
        End::Panicked(text) => ended(id, AttemptResult::Panicked, text),
        End::Cancelled => called_off(id),
    }
}

/// The report of an attempt that another try may follow.
fn ended(attempt: AttemptId, result: AttemptResult, message: impl Into<ShortText>) -> Event {
    Event::Ended {
        attempt,
        result,
        message: message.into(),
        hopeless: false,
    }
}

fn called_off(id: AttemptId) -> Event {
    ended(id, AttemptResult::Cancelled, "it was cancelled")
}
