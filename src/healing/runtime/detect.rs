//! The detection loop of one engine.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::call::{End, run as call};
use super::shell::Shell;
use super::slots::{DetectionResult, Slot};
use super::trace;
use super::verify::over;
use crate::healing::core::{Event, IssueKey, Moment, Observation, Plan, ShortText};
use crate::healing::engine::Context;

/// The minimum time between two detection runs caused by hints.
const GAP: Duration = Duration::from_millis(100);
/// The maximum wait between two detection runs of a failing detector, unless its interval is
/// longer.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The maximum number of observations handed over from one detection run: they are processed under
/// one lock, which scrapes and people wait for.
const MOST: usize = 1024;

/// Detects on every tick and every hint, one run at a time, until the engine is removed. A failing
/// detector runs less and less often, even with hints.
pub(super) async fn run(shell: Arc<Shell>, slot: Arc<Slot>) {
    let mut failures = 0;
    let mut last = None;
    loop {
        let waiting = wait(&shell, &slot, last, failures);
        tokio::select! {
            () = waiting => {}
            () = slot.gone.cancelled() => return,
        }
        last = Some(Instant::now());
        failures = match run_once(&shell, &slot).await {
            DetectionResult::Ok => 0,
            _ => failures + 1,
        };
    }
}

/// Waits for the next detection run. The first is immediate: the core requests it, unless it did so
/// before the engine was added.
async fn wait(shell: &Shell, slot: &Slot, last: Option<Instant>, failures: u32) {
    let Some(last) = last else {
        tokio::select! {
            () = slot.hint.notified() => {}
            () = tokio::time::sleep(GAP) => {}
        }
        return;
    };
    if failures == 0 {
        sleep_until(last + GAP).await;
    }
    loop {
        let every = slot
            .every
            .unwrap_or(shell.policy(|policy| policy.detect_every));
        let every = every.max(GAP);
        tokio::select! {
            () = sleep_until(last + backed_off(every, failures)) => return,
            () = slot.hint.notified(), if failures == 0 => return,
            () = slot.retimed.notified() => {}
        }
    }
}

fn backed_off(every: Duration, failures: u32) -> Duration {
    let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
    every.saturating_mul(factor).min(LONGEST_WAIT.max(every))
}

/// Makes one detection run. Returns when nothing of it runs any more, which may be long after it
/// was reported as failed; until then it is reported repeatedly.
async fn run_once(shell: &Arc<Shell>, slot: &Slot) -> DetectionResult {
    let (timeout, grace) = shell.policy(|policy| (policy.timeout, policy.grace));
    let token = CancellationToken::new();
    let cx = Context::new(shell.timeline.clone(), timeout, token.clone());
    let began = cx.data_from();
    slot.sight.began(shell.timeline.now());
    let (engine, own) = (Arc::clone(&slot.engine), cx.clone());
    let detection = call(&cx, grace, async move {
        engine.detect(&own).await.map_err(|error| error.text())
    });
    let mut detection = std::pin::pin!(slot.calls.track_future(detection));
    let end = tokio::select! {
        end = &mut detection => end,
        () = over(shell, timeout, &slot.gone) => {
            token.cancel();
            slot.detections.count(DetectionResult::Timeout);
            loop {
                failed(shell, slot, began, "it did not end in time");
                tokio::select! {
                    _ = &mut detection => return DetectionResult::Timeout,
                    () = tokio::time::sleep(LONGEST_WAIT.min(timeout)), if !slot.gone.is_cancelled() => {}
                }
            }
        }
    };
    let (result, why) = match end {
        End::Done(Ok(observations)) => {
            slot.sight.sees(shell.timeline.now());
            hand_over(shell, slot, &cx, observations).await;
            slot.detections.count(DetectionResult::Ok);
            return DetectionResult::Ok;
        }
        End::Done(Err(text)) => (DetectionResult::Failed, text),
        End::Panicked(text) => (DetectionResult::Panicked, text),
        End::Cancelled => (DetectionResult::Timeout, "it was cancelled".into()),
    };
    slot.detections.count(result);
    failed(shell, slot, began, why.as_str());
    result
}

/// Hands over the observations of a run: the worst, if there are too many.
async fn hand_over(shell: &Shell, slot: &Slot, cx: &Context, mut found: Vec<Observation>) {
    let mut left_out = None;
    if found.len() > MOST {
        // With very many, this takes longer than a task may block its thread.
        let choosing = tokio::task::spawn_blocking(move || worst(found));
        let Ok(chosen) = choosing.await else {
            return; // The runtime is shutting down.
        };
        (found, left_out) = chosen;
    }
    shell.feed(Event::Detected {
        engine: slot.name.clone(),
        began: cx.data_from(),
        observations: with_plans(shell, slot, found),
        left_out,
        unknown: cx.take_unknown(),
    });
}

/// The worst observations, the key of one of the others, and their number.
fn worst(mut found: Vec<Observation>) -> (Vec<Observation>, Option<(IssueKey, u64)>) {
    let (_, next, others) = found.select_nth_unstable_by(MOST, |a, b| b.cmp(a));
    let left_out = (next.key.clone(), 1 + others.len() as u64);
    found.truncate(MOST);
    (found, Some(left_out))
}

/// Calls the engine's `plan` for the observations that need one, with no lock held and panics
/// contained.
fn with_plans(
    shell: &Shell,
    slot: &Slot,
    found: Vec<Observation>,
) -> Vec<(Observation, Option<Result<Plan, ShortText>>)> {
    let now = shell.timeline.stamp();
    let issues: Vec<_> = shell.owner.read(|state| {
        let issues = found.iter().map(|one| state.to_plan(now, &slot.name, one));
        issues.collect()
    });
    let plans = issues.into_iter().map(|issue| slot.plan(issue));
    found.into_iter().zip(plans).collect()
}

fn failed(shell: &Shell, slot: &Slot, began: Moment, why: &str) {
    slot.sight.failed(shell.timeline.now(), why.into());
    shell.feed(Event::DetectFailed {
        engine: slot.name.clone(),
        began,
    });
    trace::detect_failed(&slot.name, why);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detector_that_fails_is_left_alone_for_longer_and_longer() {
        let seconds = Duration::from_secs;
        let waits: Vec<_> = (0..8)
            .map(|n| backed_off(seconds(10), n).as_secs())
            .collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300, 300]);
        assert_eq!(backed_off(seconds(3600), 4), seconds(3600));
        assert_eq!(backed_off(seconds(1), u32::MAX), seconds(300));
    }
}
