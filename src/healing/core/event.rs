//! What goes into the core.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::attempt::{AttemptId, Ticket};
use super::issue::{Generation, IssueKey, Name, Observation, Severity, ShortText};
use super::moment::Moment;
use super::outcome::{AttemptResult, By, Verdict};
use super::plan::Plan;
use crate::config::HealingPolicy;

/// Something that happened. Reports carry the number of the request that they answer, so that a
/// late, doubled or invented one changes nothing.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Time has passed; also what the shell sends when a [`WakeAt`](super::Effect::WakeAt) is due.
    Tick,
    /// An engine is there, with the components it watches. They count as known to the storm
    /// guard. Restored issues of the engine go on from here.
    EngineAdded {
        /// Its name.
        engine: Name,
        /// The components it watches, as far as they are known beforehand.
        components: Vec<Name>,
    },
    /// An engine is gone: its issues that do not run close as superseded.
    EngineRemoved {
        /// Its name.
        engine: Name,
    },
    /// A component depends on another: the parent heals first. A cycle is refused.
    DependsOn {
        /// The component.
        component: Name,
        /// What it depends on.
        parent: Name,
    },
    /// A hint: a fault was noticed between two detection runs. It opens an issue, or adds to one,
    /// and has the engine detect again; it confirms nothing by being repeated.
    Observed {
        /// Whose issue it is.
        engine: Name,
        /// What was noticed.
        observation: Observation,
        /// The engine's plan for it, where [`State::to_plan`](super::State::to_plan) asked for
        /// one; or why there is none: `plan` panicked.
        plan: Option<Result<Plan, ShortText>>,
    },
    /// A detection run ended: the whole truth about the engine's components at that time. Keys
    /// that are not named are good, unless some were left out.
    Detected {
        /// The engine.
        engine: Name,
        /// When the run began, which is how old its data may be.
        began: Moment,
        /// Every fault that it found, with a plan as in [`Observed`](Self::Observed).
        observations: Vec<(Observation, Option<Result<Plan, ShortText>>)>,
        /// How many more it found than are handed over, and the key of one of them. They count as
        /// dropped.
        left_out: Option<(IssueKey, u64)>,
    },
    /// A detection run failed, panicked or took too long: it says nothing about any key.
    DetectFailed {
        /// The engine.
        engine: Name,
        /// When the run began.
        began: Moment,
    },
    /// An attempt or a rollback really ended: nothing of it runs any more.
    Ended {
        /// Which.
        attempt: AttemptId,
        /// How.
        result: AttemptResult,
        /// What it said.
        message: ShortText,
        /// Whether another try of the same step would fail as well: the next step follows. It
        /// counts only where the result is a failure.
        hopeless: bool,
    },
    /// The answer to [`Effect::Verify`](super::Effect::Verify).
    Judged {
        /// The request.
        ticket: Ticket,
        /// When the oldest of the data was gathered.
        data_from: Moment,
        /// What it shows.
        verdict: Verdict,
    },
    /// A person or a system outside decided something.
    Control {
        /// What.
        control: Control,
        /// Who.
        by: By,
    },
    /// Whether the journal can be written. While it cannot, only reversible actions start.
    Journal {
        /// Whether it can.
        healthy: bool,
    },
    /// A module of this process wants to know something after a restart, in the place of what it
    /// wanted to know under that name before. It is refused where it is too long.
    Remember {
        /// What it is called.
        name: Name,
        /// What is to be known.
        value: serde_json::Value,
    },
    /// A new policy, for decisions from now on. One that is not valid is refused: the last valid
    /// one stays.
    Reload(Arc<HealingPolicy>),
    /// The process ends: nothing starts any more, what runs is cancelled, what remains is
    /// recorded; [`Effect::Stopped`](super::Effect::Stopped) is the end.
    Shutdown,
}

/// A decision from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Control {
    /// Nothing starts; what runs goes on.
    Pause,
    /// The end of a pause.
    Resume,
    /// The kill switch: nothing starts, and what runs is cancelled.
    Kill,
    /// The end of the kill switch.
    Revive,
    /// Nothing starts for a key or a component, and new issues of it are not opened, until the
    /// time is over or a fault is worse than what is tolerated.
    Mute {
        /// What.
        target: Target,
        /// For how long.
        #[serde(with = "crate::config::duration")]
        lasting: Duration,
        /// The worst severity that stays muted. Where absent: that of the open issue, or any.
        tolerate: Option<Severity>,
    },
    /// The end of a mute.
    Unmute {
        /// What.
        target: Target,
    },
    /// A person acknowledges: a parked issue, or a blocked key, starts anew.
    Acknowledge {
        /// Which.
        key: IssueKey,
    },
    /// The current step of an issue may run.
    Approve {
        /// Which.
        key: IssueKey,
        /// The generation that was read; refused if it is another by now. Where absent:
        /// whatever it is.
        generation: Option<Generation>,
    },
    /// The current step of an issue must not run.
    Deny {
        /// Which.
        key: IssueKey,
    },
    /// Look now, and heal what can be healed: as acknowledged and approved by whoever asks.
    /// Every other guard stands.
    Trigger {
        /// Which.
        key: IssueKey,
    },
    /// What the application logs is set. It changes nothing here, and is written down.
    LogLevel {
        /// What is logged from now on, in the words of the application.
        filter: ShortText,
    },
}

/// What a mute is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One key.
    Key(IssueKey),
    /// All issue types of a component.
    Component(Name),
}
