//! Events: the inputs of the core.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::attempt::{AttemptId, Ticket};
use super::issue::{Generation, IssueKey, Name, Observation, Severity, ShortText};
use super::moment::Moment;
use super::outcome::{AttemptResult, By, Verdict};
use super::plan::Plan;
use super::unknown::Unknown;
use crate::config::HealingPolicy;

/// An input of the core. Reports carry the identifier of the request that they answer, so that
/// late, duplicate or unknown ones have no effect.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Time has passed; the runtime sends it when a [`WakeAt`](super::Effect::WakeAt) is due.
    Tick,
    /// An engine was added, with the components it watches, which count as known to the storm
    /// guard. Restored issues of the engine continue.
    EngineAdded {
        /// Its name.
        engine: Name,
        /// The components it watches, as far as known beforehand.
        components: Vec<Name>,
    },
    /// An engine was removed: its issues close as superseded once nothing of them runs.
    EngineRemoved {
        /// Its name.
        engine: Name,
    },
    /// A component depends on another: the parent heals first. A cycle is refused.
    DependsOn {
        /// The component.
        component: Name,
        /// The component that it depends on.
        parent: Name,
    },
    /// A hint: a fault was noticed between two detection runs. It opens an issue or adds to one,
    /// and requests a detection run; repeated hints do not confirm it.
    Observed {
        /// The engine of the issue.
        engine: Name,
        /// The observation.
        observation: Observation,
        /// The engine's plan for it, if [`State::to_plan`](super::State::to_plan) asked for one; an
        /// error if `plan` panicked.
        plan: Option<Result<Plan, ShortText>>,
    },
    /// A detection run ended. It is complete: keys of the engine that it does not name are good,
    /// unless some were left out.
    Detected {
        /// The engine.
        engine: Name,
        /// When the run began: the possible age of its data.
        began: Moment,
        /// Every fault that it found, with a plan as in [`Observed`](Self::Observed).
        observations: Vec<(Observation, Option<Result<Plan, ShortText>>)>,
        /// The number of observations beyond the limit, and the key of one of them. They count as
        /// dropped.
        left_out: Option<(IssueKey, u64)>,
        /// The keys that it says nothing about: those that it did not find stay as they are.
        unknown: Unknown,
    },
    /// A detection run failed, panicked or timed out: it says nothing about any key.
    DetectFailed {
        /// The engine.
        engine: Name,
        /// When the run began.
        began: Moment,
    },
    /// An attempt or a rollback ended: nothing of it runs any more.
    Ended {
        /// The attempt.
        attempt: AttemptId,
        /// Its result.
        result: AttemptResult,
        /// Its message.
        message: ShortText,
        /// Whether another try of the same step would fail as well, so that the next step follows.
        /// Counts only if the result is a failure.
        hopeless: bool,
    },
    /// The answer to [`Effect::Verify`](super::Effect::Verify).
    Judged {
        /// The request.
        ticket: Ticket,
        /// When the oldest of the data was gathered.
        data_from: Moment,
        /// The verdict.
        verdict: Verdict,
    },
    /// A decision of a person or an external system.
    Control {
        /// The decision.
        control: Control,
        /// Who decided.
        by: By,
    },
    /// Whether the journal is writable. While it is not, only reversible actions start.
    Journal {
        /// Whether it is writable.
        healthy: bool,
    },
    /// A module of this process stores a value to read after a restart, replacing the value under
    /// that name. Refused if it is too long.
    Remember {
        /// Name of the value.
        name: Name,
        /// The value.
        value: serde_json::Value,
    },
    /// A new policy for decisions from now on. An invalid one is refused: the last valid one stays.
    Reload(Arc<HealingPolicy>),
    /// The process ends: nothing starts, running attempts are cancelled, open issues are recorded;
    /// [`Effect::Stopped`](super::Effect::Stopped) is the last effect.
    Shutdown,
}

/// A decision from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Control {
    /// Pause: nothing starts; running attempts continue.
    Pause,
    /// Ends a pause.
    Resume,
    /// The kill switch: nothing starts, and running attempts are cancelled.
    Kill,
    /// Ends the kill switch.
    Revive,
    /// Mutes a key or a component: nothing starts for it and no new issues open, until the time is
    /// over or a fault exceeds the tolerated severity.
    Mute {
        /// The key or component.
        target: Target,
        /// Duration of the mute.
        #[serde(with = "crate::config::duration")]
        lasting: Duration,
        /// The worst severity that stays muted. Default: that of the open issue, or any.
        tolerate: Option<Severity>,
    },
    /// Ends a mute.
    Unmute {
        /// The key or component.
        target: Target,
    },
    /// A person acknowledges: a parked issue or a blocked key starts over.
    Acknowledge {
        /// The key.
        key: IssueKey,
    },
    /// Approves the current step of an issue.
    Approve {
        /// The key.
        key: IssueKey,
        /// The generation that was read; refused if it has changed since. Default: any.
        generation: Option<Generation>,
    },
    /// Denies the current step of an issue.
    Deny {
        /// The key.
        key: IssueKey,
    },
    /// Detect now, and heal what can be healed, as acknowledged and approved by the requester. All
    /// other guards apply.
    Trigger {
        /// The key.
        key: IssueKey,
    },
    /// The application's log filter was set. Recorded only; the core ignores it.
    LogLevel {
        /// The new filter, in the application's syntax.
        filter: ShortText,
    },
}

/// The target of a mute.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One key.
    Key(IssueKey),
    /// All issue types of a component.
    Component(Name),
}
