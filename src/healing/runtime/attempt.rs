//! Attempts and rollbacks: from the decision to the report of their end.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::call::{End, run};
use super::shell::Shell;
use super::slots::Slot;
use super::trace;
use crate::healing::core::{AttemptResult, Event, Moment, Risk, ShortText, Start, Work};
use crate::healing::engine::{Context, HealErrorKind, Precondition};

/// The result of an attempt, for the core.
struct Outcome {
    result: AttemptResult,
    message: ShortText,
    /// Another try would fail as well.
    hopeless: bool,
}

impl Outcome {
    fn new(result: AttemptResult, message: impl Into<ShortText>) -> Self {
        Self {
            result,
            message: message.into(),
            hopeless: false,
        }
    }
}

/// Starts a task that sends exactly one report. The record `written_first` must be in the journal
/// before it acts.
pub(super) fn start(shell: &Arc<Shell>, start: Start, written_first: u64) {
    let id = start.intent.attempt;
    let token = CancellationToken::new();
    shell.running.lock().insert(id, token.clone());
    let slot = shell.engines.read().get(&start.intent.engine);
    let written = shell.journal.written(written_first);
    let deadline = shell.timeline.in_time(start.intent.timeout);
    let own = Arc::clone(shell);
    shell.spawn(async move {
        let outcome = match slot {
            None => Outcome::new(AttemptResult::Failed, "its engine is gone"),
            Some(_) if !written.await && start.intent.risk != Risk::Reversible => Outcome::new(
                AttemptResult::Cancelled,
                "the intent could not be written to the journal",
            ),
            Some(slot) => {
                let call = attempt(&own, &slot, &start, deadline, token);
                slot.calls.track_future(call).await
            }
        };
        own.running.lock().remove(&id);
        own.feed(Event::Ended {
            attempt: id,
            result: outcome.result,
            message: outcome.message,
            hopeless: outcome.hopeless,
        });
    });
}

async fn attempt(
    shell: &Shell,
    slot: &Slot,
    start: &Start,
    deadline: Moment,
    token: CancellationToken,
) -> Outcome {
    let grace = shell.policy(|policy| policy.grace);
    let span = trace::attempt(start);
    let context = |token: &CancellationToken| {
        let timeline = shell.timeline.clone();
        Context::until(
            timeline,
            deadline,
            Some(start.intent.attempt),
            token.clone(),
        )
    };
    if token.is_cancelled() {
        return called_off();
    }
    if start.intent.work == Work::Heal {
        let cx = context(&token);
        let (engine, issue, own) = (Arc::clone(&slot.engine), start.issue.clone(), cx.clone());
        let precondition = async move { engine.precondition(&own, &issue).await };
        match run(&cx, grace, trace::within(&span, precondition)).await {
            End::Done(Precondition::Proceed) => {}
            End::Done(Precondition::Stale) => {
                return Outcome::new(AttemptResult::Stale, "the fault has changed");
            }
            End::Done(Precondition::Refuse(why)) => {
                return Outcome::new(AttemptResult::Failed, format!("refused: {why}"));
            }
            End::Panicked(text) => return Outcome::new(AttemptResult::Panicked, text),
            End::Cancelled => return called_off(),
        }
        if token.is_cancelled() {
            return called_off();
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
        End::Done(Ok(())) => Outcome::new(AttemptResult::Ok, ""),
        // An error after a cancellation counts as cancelled.
        End::Done(Err((_, text))) if token.is_cancelled() => {
            Outcome::new(AttemptResult::Cancelled, text)
        }
        End::Done(Err((kind, text))) => Outcome {
            hopeless: kind == HealErrorKind::Permanent,
            ..Outcome::new(AttemptResult::Failed, text)
        },
        End::Panicked(text) => Outcome::new(AttemptResult::Panicked, text),
        End::Cancelled => called_off(),
    }
}

fn called_off() -> Outcome {
    Outcome::new(AttemptResult::Cancelled, "it was cancelled")
}
