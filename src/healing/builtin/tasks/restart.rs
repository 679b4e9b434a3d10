//! Restart strategies of a supervised task.

/// When a task that has ended is started again; the terms are OTP's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restart {
    /// Always: the task is meant to run forever. After the restarts that its
    /// [intensity](super::Supervise::intensity) allows, it continues at the slow pace of the
    /// policy's [`retry_every`](crate::config::HealingPolicy::retry_every), 15 min by default,
    /// while an alert fires.
    Permanent,
    /// After an abnormal end: a panic, an error or a missed heartbeat. With the same intensity as
    /// [`Permanent`](Self::Permanent).
    Transient,
    /// Never, whatever the policy says: its end is only reported, by an alert and as an issue that
    /// is left to a person.
    Temporary,
}
