//! The engine that guards one file.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::content::{Found, Mark};
use super::guarded::{Guarded, Writer};
use super::reason;
use super::restore::RestoreError;
use super::worker::Late;
use crate::healing::core::{Confirm, Issue, Name, Observation, Plan, Risk, Severity, Verdict};
use crate::healing::engine::{Context, HealError, HealingEngine, Precondition};
use crate::registry::GaugeGuard;
use crate::util::place::PlaceError;

const CORRUPT: &str = "file_corrupt";
const MISSING: &str = "file_missing";
const UNREADABLE: &str = "file_unreadable";
const RESTORE: &str = "restore";

/// How long to wait for a writer: one that hangs must not keep the file bad.
const WRITER: Duration = Duration::from_secs(5);

/// Watches a file, adopts every good content as the one to restore, and restores it when the file
/// is corrupt or missing.
pub(super) struct FileGuard {
    /// Shared with the jobs that read and write on blocking threads.
    file: Arc<Guarded>,
    _counted: GaugeGuard,
}

impl FileGuard {
    pub(super) fn new(file: Arc<Guarded>) -> Self {
        Self {
            _counted: file.metrics.paths.hold(),
            file,
        }
    }

    /// Runs work that may hang. The tokio thread that waits for it is freed at the deadline, so
    /// that the end of a runtime waits no longer.
    async fn work<T: Send + 'static>(
        &self,
        cx: &Context,
        job: impl FnOnce(&Guarded) -> T + Send + 'static,
    ) -> Result<T, Late> {
        let file = Arc::clone(&self.file);
        cx.blocking(move || file.work(job)).await
    }

    async fn check(&self, cx: &Context) -> Result<Found, Late> {
        self.work(cx, Guarded::check).await
    }

    /// Reads until the result is already known, or is the same twice at rest while no one was
    /// writing. A fault that never comes to rest is reported as is when the patience is over; good
    /// content is left for a later run.
    async fn look_twice(&self, cx: &Context) -> Result<Found, Late> {
        let (spec, signals) = (&self.file.spec, &self.file.signals);
        let mut found = self.check(cx).await?;
        let hears = self.file.hears_of_writers();
        let began = cx.now().at;
        loop {
            let (wait, patience) = match &found {
                Found::Good(content) if !self.file.is_new(content) => {
                    self.file.refresh(content);
                    return Ok(found);
                }
                _ if hears => (spec.confirm_after, WRITER),
                // Valid content is usable already, so this does not wait for longer.
                Found::Good(_) => (spec.confirm_after, spec.confirm_after),
                _ => (spec.every, spec.every),
            };
            let patience = patience.max(wait).min(cx.remaining() / 2);
            cx.sleep(wait.min(patience)).await;
            let impatient = cx.now().at - began >= patience;
            if !impatient && signals.writer() != Writer::None {
                continue;
            }
            let closed = || hears && signals.writer() == Writer::None;
            let mut whole = closed();
            let again = self.check(cx).await?;
            // A file that keeps changing, completely each time, never rests.
            whole &= impatient && closed();
            let rests = again.rests_since(&found);
            found = again;
            if let Found::Good(content) = &found
                && (rests || whole)
                && self.file.is_new(content)
                && self.file.may_adopt(content, cx.now().at)
            {
                let content = content.clone();
                self.work(cx, move |file| file.adopt(&content)).await?;
                return Ok(found);
            }
            if impatient || rests {
                return Ok(found);
            }
        }
    }
}

impl HealingEngine for FileGuard {
    fn name(&self) -> &str {
        self.file.spec.component.as_str()
    }

    fn components(&self) -> Vec<Name> {
        vec![self.file.spec.component.clone()]
    }

    fn every(&self) -> Option<Duration> {
        Some(self.file.spec.every)
    }

    async fn detect(&self, cx: &Context) -> Result<Vec<Observation>, HealError> {
        let observed = |issue_type: &str, severity: Severity| {
            let path = self.file.spec.path.display().to_string();
            Observation::new(self.file.spec.component.clone(), issue_type)
                .severity(severity)
                .evidence("path", path)
                // A file has one fault at a time: a missing file is no longer corrupt.
                .superseding()
        };
        let severity = self.file.spec.severity;
        let found = self.look_twice(cx).await?;
        self.file.report(&found);
        Ok(match found {
            Found::Good(_) => Vec::new(),
            Found::Corrupt(content, why) => {
                let mut seen = observed(CORRUPT, severity)
                    .evidence("validator", why.as_str())
                    .evidence("blake3", content.hash.to_string())
                    .evidence("bytes", content.bytes.len().to_string());
                if let Some(place) = reason::place(why.as_str()) {
                    seen = seen.evidence("place", place);
                }
                vec![seen]
            }
            Found::Missing => vec![observed(MISSING, severity)],
            Found::Unreadable(why) => {
                vec![observed(UNREADABLE, Severity::Warning).evidence("error", why.as_str())]
            }
        })
    }

    fn plan(&self, issue: &Issue) -> Plan {
        // Confirmed by the two checks before the report.
        let confirm = Confirm::at_once();
        if issue.key.issue_type.as_str() == UNREADABLE {
            // Whether an unreadable file is bad is unknown, so it is only reported.
            return Plan::report().confirm(confirm);
        }
        let plan = Plan::first(RESTORE).risk(Risk::Reversible).confirm(confirm);
        match self.file.spec.settle {
            Some(settle) => plan.settle(settle),
            None => plan,
        }
    }

    async fn precondition(&self, cx: &Context, _: &Issue) -> Precondition {
        let found = match self.check(cx).await {
            Ok(found) => found,
            Err(late) => return Precondition::refuse(late.to_string()),
        };
        let same = Mark::of(&found) == self.file.reported();
        match found {
            Found::Unreadable(why) => Precondition::refuse(why.as_str()),
            Found::Corrupt(..) | Found::Missing if same => Precondition::Proceed,
            // Also if the fault has changed: it may be about to be written.
            _ => Precondition::Stale,
        }
    }

    async fn heal(&self, cx: &Context, _: &Issue, _action: &str) -> Result<(), HealError> {
        let restored = self.work(cx, Guarded::restore).await?;
        restored.map_err(|error| match error {
            // Retrying cannot help.
            hopeless @ (RestoreError::Link
            | RestoreError::Mount { .. }
            | RestoreError::Place(
                PlaceError::Shared { .. } | PlaceError::Link { .. },
            )) => HealError::from(hopeless).give_up(),
            other => other.into(),
        })
    }

    async fn close(&self, cx: &Context) {
        // If this hangs, dropping the guard ends the watch.
        let _ = self.work(cx, Guarded::stop_watching).await;
    }

    async fn verify(&self, cx: &Context, _: &Issue) -> Verdict {
        match self.check(cx).await {
            Ok(Found::Good(_)) => Verdict::Good,
            Ok(Found::Corrupt(..) | Found::Missing) => Verdict::Bad,
            Ok(Found::Unreadable(_)) | Err(_) => Verdict::Unknown,
        }
    }
}

impl fmt::Debug for FileGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileGuard")
            .field("path", &self.file.spec.path)
            .finish_non_exhaustive()
    }
}
