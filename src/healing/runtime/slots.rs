//! The runtime's state of each engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::call::guarded;
use super::remark::Remark;
use super::sight::Sight;
use crate::healing::core::{Issue, Name, Plan, ShortText};
use crate::healing::engine::DynEngine;
use crate::util::closed_set;

/// The maximum number of concurrent verifications of one engine.
const VERIFICATIONS: usize = 16;

/// One engine.
pub(super) struct Slot {
    pub(super) name: Name,
    pub(super) engine: Arc<dyn DynEngine>,
    pub(super) components: Vec<Name>,
    pub(super) every: Option<Duration>,
    /// Requests a detection run.
    pub(super) hint: Notify,
    /// Requests that the time of the next detection run is recomputed.
    pub(super) retimed: Notify,
    /// Cancelled when it is removed, or on shutdown.
    pub(super) gone: CancellationToken,
    /// Running calls of its code.
    pub(super) calls: TaskTracker,
    pub(super) verifications: Semaphore,
    pub(super) detections: Detections,
    pub(super) sight: Sight,
    pub(super) remark: Arc<Remark>,
}

impl Slot {
    pub(super) fn new(
        name: Name,
        engine: Arc<dyn DynEngine>,
        components: Vec<Name>,
        every: Option<Duration>,
        gone: CancellationToken,
    ) -> Self {
        Self {
            remark: Arc::new(Remark::new(name.clone())),
            name,
            engine,
            components,
            every,
            hint: Notify::new(),
            retimed: Notify::new(),
            gone,
            calls: TaskTracker::new(),
            verifications: Semaphore::new(VERIFICATIONS),
            detections: Detections::default(),
            sight: Sight::default(),
        }
    }

    pub(super) fn plan(&self, issue: Option<Issue>) -> Option<Result<Plan, ShortText>> {
        issue.map(|issue| guarded(|| self.engine.plan(&issue)))
    }
}

/// The detection runs of an engine, by result.
#[derive(Debug, Default)]
pub(super) struct Detections([AtomicU64; DetectionResult::ALL.len()]);

closed_set! {
    /// The result of a detection run.
    pub enum DetectionResult {
        /// It ended, with or without faults found.
        Ok = "ok",
        /// It returned an error.
        Failed = "failed",
        /// It panicked.
        Panicked = "panicked",
        /// It did not end in time.
        Timeout = "timeout",
    }
}

impl Detections {
    pub(super) fn count(&self, result: DetectionResult) {
        self.0[result as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self, result: DetectionResult) -> u64 {
        self.0[result as usize].load(Ordering::Relaxed)
    }
}

/// All engines by name.
pub(super) type Slots = BTreeMap<Name, Arc<Slot>>;
