//! What a person, or a system outside, can decide.

use std::sync::Arc;
use std::time::Duration;

use super::Healing;
use super::error::Refused;
use crate::config::{Faults, HealingPolicy};
use crate::healing::core::{By, Control, Event, Generation, IssueKey, Name, Target};

impl Healing {
    /// Follows a decision from outside, at once and in full, or not at all. Who decided is
    /// written down.
    ///
    /// # Errors
    /// It cannot be followed: there is no such issue, it does not wait for approval, …
    pub fn control(&self, control: Control, by: By) -> Result<(), Refused> {
        self.shell.decide(Event::Control { control, by })
    }

    /// Nothing starts until [`resume`](Self::resume); what runs goes on.
    pub fn pause(&self, by: By) -> Result<(), Refused> {
        self.control(Control::Pause, by)
    }

    /// Ends a pause.
    pub fn resume(&self, by: By) -> Result<(), Refused> {
        self.control(Control::Resume, by)
    }

    /// The kill switch: nothing starts, and what runs is called off.
    pub fn kill(&self, by: By) -> Result<(), Refused> {
        self.control(Control::Kill, by)
    }

    /// Takes the kill switch back.
    pub fn revive(&self, by: By) -> Result<(), Refused> {
        self.control(Control::Revive, by)
    }

    /// Nothing starts for a key or a component for so long, unless it becomes worse.
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

    /// A person has acknowledged it: what was left to a person starts anew.
    pub fn acknowledge(&self, key: IssueKey, by: By) -> Result<(), Refused> {
        self.control(Control::Acknowledge { key }, by)
    }

    /// The step that waits for approval may run. With the generation that was read, it is
    /// refused where the issue is another by now.
    pub fn approve(
        &self,
        key: IssueKey,
        generation: Option<Generation>,
        by: By,
    ) -> Result<(), Refused> {
        self.control(Control::Approve { key, generation }, by)
    }

    /// The step that waits for approval must not run.
    pub fn deny(&self, key: IssueKey, by: By) -> Result<(), Refused> {
        self.control(Control::Deny { key }, by)
    }

    /// Looks now, and heals what can be healed, as if acknowledged and approved.
    pub fn trigger(&self, key: IssueKey, by: By) -> Result<(), Refused> {
        self.control(Control::Trigger { key }, by)
    }

    /// Puts a new policy in force, for decisions from now on.
    ///
    /// # Errors
    /// All faults of one that is not valid. The policy in force stays, and the subscribers are
    /// told.
    pub fn reload(&self, policy: HealingPolicy) -> Result<(), Faults> {
        let checked = policy.validate();
        // One that is not valid is refused by the core as well, which says so in a notice.
        let _ = self.shell.decide(Event::Reload(Arc::new(policy)));
        checked
    }

    /// Has the journal keep a value over restarts, in the place of what had that name before.
    ///
    /// # Errors
    /// There are 8 names already, or it is longer than 48 KiB as JSON.
    pub fn remember(&self, name: impl Into<Name>, value: serde_json::Value) -> Result<(), Refused> {
        let name = name.into();
        self.shell.decide(Event::Remember { name, value })
    }

    /// What the journal has under a name: of this run, or of one before it.
    #[must_use]
    pub fn remembered(&self, name: impl Into<Name>) -> Option<serde_json::Value> {
        let name = name.into();
        let owner = &self.shell.owner;
        owner.read(|state| state.remembered(&name).cloned())
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> HealingPolicy {
        self.shell.policy(Clone::clone)
    }
}
