//! Decisions of a person or an external system.

use std::sync::Arc;
use std::time::Duration;

use super::Healing;
use super::error::Refused;
use crate::config::{Faults, HealingPolicy};
use crate::healing::core::{By, Control, Event, Generation, IssueKey, Name, Target};

impl Healing {
    /// Carries out a decision from outside, immediately and completely, or refuses it. Records who
    /// decided.
    ///
    /// # Errors
    /// The decision is refused: there is no such issue, it does not wait for approval, …
    pub fn control(&self, control: Control, by: By) -> Result<(), Refused> {
        self.shell.decide(Event::Control { control, by })
    }

    /// Pauses: nothing starts until [`resume`](Self::resume); running attempts continue.
    pub fn pause(&self, by: By) -> Result<(), Refused> {
        self.control(Control::Pause, by)
    }

    /// Ends a pause.
    pub fn resume(&self, by: By) -> Result<(), Refused> {
        self.control(Control::Resume, by)
    }

    /// Sets the kill switch: nothing starts, and running attempts are cancelled.
    pub fn kill(&self, by: By) -> Result<(), Refused> {
        self.control(Control::Kill, by)
    }

    /// Clears the kill switch.
    pub fn revive(&self, by: By) -> Result<(), Refused> {
        self.control(Control::Revive, by)
    }

    /// Mutes a key or a component for this long, unless it worsens: nothing starts for it.
    pub fn mute(&self, target: Target, lasting: Duration, by: By) -> Result<(), Refused> {
        let tolerate = None;
        self.control(
            Control::Mute {
                target,
                lasting,
                tolerate,
            },
            by,
        )
    }

    /// Ends a mute.
    pub fn unmute(&self, target: Target, by: By) -> Result<(), Refused> {
        self.control(Control::Unmute { target }, by)
    }

    /// Acknowledges an issue that was left to a person: it starts over.
    pub fn acknowledge(&self, key: IssueKey, by: By) -> Result<(), Refused> {
        self.control(Control::Acknowledge { key }, by)
    }

    /// Approves the step that waits for approval. If a generation is given, it is refused if the
    /// issue has changed since.
    pub fn approve(
        &self,
        key: IssueKey,
        generation: Option<Generation>,
        by: By,
    ) -> Result<(), Refused> {
        self.control(Control::Approve { key, generation }, by)
    }

    /// Denies the step that waits for approval.
    pub fn deny(&self, key: IssueKey, by: By) -> Result<(), Refused> {
        self.control(Control::Deny { key }, by)
    }

    /// Detects now, and heals what can be healed, as if acknowledged and approved.
    pub fn trigger(&self, key: IssueKey, by: By) -> Result<(), Refused> {
        self.control(Control::Trigger { key }, by)
    }

    /// Sets a new policy for decisions from now on.
    ///
    /// # Errors
    /// All faults of an invalid policy. The current policy stays, and the subscribers are notified.
    pub fn reload(&self, policy: HealingPolicy) -> Result<(), Faults> {
        let checked = policy.validate();
        // The core refuses an invalid policy, too, and reports that in a notice.
        let _ = self.shell.decide(Event::Reload(Arc::new(policy)));
        checked
    }

    /// Stores a value in the journal across restarts, replacing the value of that name.
    ///
    /// # Errors
    /// There are already 8 names, or the value is longer than 48 KiB as JSON.
    pub fn remember(&self, name: impl Into<Name>, value: serde_json::Value) -> Result<(), Refused> {
        let name = name.into();
        self.shell.decide(Event::Remember { name, value })
    }

    /// The value stored under a name, by this run or an earlier one.
    #[must_use]
    pub fn remembered(&self, name: impl Into<Name>) -> Option<serde_json::Value> {
        let name = name.into();
        let owner = &self.shell.owner;
        owner.read(|state| state.remembered(&name).cloned())
    }

    /// The current policy.
    #[must_use]
    pub fn policy(&self) -> HealingPolicy {
        self.shell.policy(Clone::clone)
    }
}
