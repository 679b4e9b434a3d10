//! Verification of attempts.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::call::{End, run};
use super::shell::Shell;
use crate::healing::core::{Event, Issue, Name, Ticket, Verdict};
use crate::healing::engine::Context;

/// Calls the engine's `verify`, and answers with the verdict and the age of its data. A
/// verification that times out gets no answer: the core has its own timer.
pub(super) fn verify(
    shell: &Arc<Shell>,
    ticket: Ticket,
    engine: &Name,
    issue: Box<Issue>,
    timeout: Duration,
) {
    let Some(slot) = shell.slot(engine) else {
        return;
    };
    let own = Arc::clone(shell);
    shell.spawn(async move {
        // Limits how many verifications of an engine can hang at once.
        let _turn = tokio::select! {
            Ok(turn) = slot.verifications.acquire() => turn,
            () = over(&own, timeout, &slot.gone) => return,
        };
        let token = CancellationToken::new();
        let cx = Context::new(own.timeline.clone(), timeout, token.clone());
        let grace = own.policy(|policy| policy.grace);
        let (engine, its) = (Arc::clone(&slot.engine), cx.clone());
        let verdict = run(&cx, grace, async move { engine.verify(&its, &issue).await });
        let mut verdict = std::pin::pin!(slot.calls.track_future(verdict));
        let end = tokio::select! {
            end = &mut verdict => end,
            () = over(&own, timeout, &slot.gone) => {
                token.cancel();
                verdict.await;
                return;
            }
        };
        own.feed(Event::Judged {
            ticket,
            data_from: cx.data_from(),
            verdict: match end {
                End::Done(verdict) => verdict,
                End::Panicked(_) | End::Cancelled => Verdict::Unknown,
            },
        });
    });
}

/// Waits for the timeout, or the removal of the engine.
pub(super) async fn over(shell: &Shell, timeout: Duration, gone: &CancellationToken) {
    tokio::select! {
        () = shell.timeline.sleep(timeout) => {}
        () = gone.cancelled() => {}
    }
}
