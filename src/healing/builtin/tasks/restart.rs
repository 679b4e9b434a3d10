//! When a task is started again.

/// When a task that has ended is started again; the terms are OTP's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restart {
    /// Always: the task is meant to run for ever. After the restarts that its
    /// [intensity](super::Supervise::intensity) allows, it goes on at the slow pace of the policy's
    /// [`retry_every`](crate::config::HealingPolicy::retry_every), 15 min by default, while an
    /// alert stands.
    Permanent,
    /// When it ended abnormally: by a panic, an error or a missed heartbeat. As often as
    /// [`Permanent`](Self::Permanent).
    Transient,
    /// Never, whatever the policy says: its end is only reported, by an alert and as an issue that
    /// is left to a person.
    Temporary,
}
