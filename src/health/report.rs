use std::time::SystemTime;

use serde::Serialize;

use super::component::{Component, Status};
use super::score::Score;

/// Everything that `/health` and the page at `/` say, taken at one moment.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The state of the service: that of its worst component.
    pub status: Status,
    /// The score and where it comes from.
    pub score: Score,
    /// The parts of the service.
    pub components: Vec<Component>,
    /// The name of the service; empty if it has none.
    pub service: String,
    /// Its version; empty if it has none.
    pub version: String,
    /// Seconds since it was started.
    pub uptime_seconds: f64,
    /// What else a person wants to know at a glance.
    pub facts: Vec<Fact>,
    /// What a person should do something about, the newest first.
    pub alerts: Vec<Note>,
    /// Whether it wants traffic.
    pub ready: Check,
    /// Whether it makes progress inside. What it depends on has no say in this.
    pub live: Check,
    /// What the healing part did lately, newest first.
    pub recent: Vec<Note>,
}

impl Report {
    /// A report on a service of which nothing is known but its parts: up, ready and live.
    #[must_use]
    pub fn new(score: Score, components: Vec<Component>) -> Self {
        Self {
            status: Status::worst(&components),
            score,
            components,
            service: String::new(),
            version: String::new(),
            uptime_seconds: 0.0,
            facts: Vec::new(),
            alerts: Vec::new(),
            ready: Check::passed(),
            live: Check::passed(),
            recent: Vec::new(),
        }
    }
}

/// The answer to a yes-or-no question, with the reason for a no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The answer.
    pub ok: bool,
    /// Why not; empty for a yes.
    pub reason: String,
}

impl Check {
    /// Yes.
    #[must_use]
    pub fn passed() -> Self {
        Self {
            ok: true,
            reason: String::new(),
        }
    }

    /// No, because.
    #[must_use]
    pub fn failed(reason: impl Into<String>) -> Self {
        Self {
            ok: false,
            reason: reason.into(),
        }
    }
}

/// A figure or a state in a few words: `issues healed`, `19`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Of what.
    pub name: String,
    /// The figure or the state.
    pub value: String,
}

impl Fact {
    /// A fact.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// When, by the wall clock.
    #[serde(serialize_with = "unix_seconds")]
    pub at: SystemTime,
    /// To which component.
    pub component: String,
    /// What, in a few words.
    pub text: String,
}

fn unix_seconds<S: serde::Serializer>(at: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    let since = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    to.serialize_f64(since.as_secs_f64())
}

/// Where a [`Report`] comes from. It is asked on every request for `/health`, `/livez`,
/// `/readyz` and `/`, so it must not block.
pub trait Source: Send + Sync + 'static {
    /// Takes a report.
    fn report(&self) -> Report;

    /// Whether the service wants traffic, for `/readyz`. Default: as a whole report says.
    fn ready(&self) -> Check {
        self.report().ready
    }

    /// Whether the service makes progress inside, for `/livez`. Default: as a whole report says.
    fn live(&self) -> Check {
        self.report().live
    }
}

impl<F: Fn() -> Report + Send + Sync + 'static> Source for F {
    fn report(&self) -> Report {
        self()
    }
}
