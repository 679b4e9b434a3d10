use std::time::SystemTime;

use serde::Serialize;

use super::component::{Component, Status};
use super::score::Score;
use super::window::Traffic;

/// The content of `/health` and the page, at one moment.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The state of the service: that of its worst component.
    pub status: Status,
    /// The score and its explanation.
    pub score: Score,
    /// The components of the service.
    pub components: Vec<Component>,
    /// The name of the service; empty if it has none.
    pub service: String,
    /// Its version; empty if it has none.
    pub version: String,
    /// Seconds since its start.
    pub uptime_seconds: f64,
    /// Further facts for the overview.
    pub facts: Vec<Fact>,
    /// Alerts that need a person, newest first.
    pub alerts: Vec<Note>,
    /// Whether it is ready for traffic.
    pub ready: Check,
    /// Whether it makes progress internally. Its dependencies do not count.
    pub live: Check,
    /// Recent events, newest first: each fault is one note, from its detection to its end.
    pub recent: Vec<Note>,
    /// The open faults, worst first, with the next action as their detail; then those that a
    /// detector cannot determine now, with the reason.
    pub open: Vec<Note>,
    /// The guards that hold actions back, and how much of each is left.
    pub guards: Vec<Fact>,
    /// The requests of the last five minutes; none if not measured.
    pub traffic: Option<Traffic>,
    /// The seconds that [`traffic`](Self::traffic) covers: fewer in the first minutes.
    pub traffic_seconds: f64,
}

impl Report {
    /// A report of only a score and components: up, ready and live.
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
            open: Vec::new(),
            guards: Vec::new(),
            traffic: None,
            traffic_seconds: 0.0,
        }
    }
}

/// The result of a check, with the reason for a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Whether it succeeded.
    pub ok: bool,
    /// The reason for a failure; empty on success.
    pub reason: String,
}

impl Check {
    /// A successful check.
    #[must_use]
    pub fn passed() -> Self {
        Self {
            ok: true,
            reason: String::new(),
        }
    }

    /// A failed check with its reason.
    #[must_use]
    pub fn failed(reason: impl Into<String>) -> Self {
        Self {
            ok: false,
            reason: reason.into(),
        }
    }
}

/// A named value: `issues healed`, `19`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// The name.
    pub name: String,
    /// The value.
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

/// An event, or a lasting condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Note {
    /// Wall-clock time of the event, or of its start.
    #[serde(serialize_with = "unix_seconds")]
    pub at: SystemTime,
    /// The affected component.
    pub component: String,
    /// A short description of the event.
    pub text: String,
    /// Its state: up is good or over, degraded is being handled, down needs a person, unknown is
    /// informational.
    pub status: Status,
    /// Further details: how long it took, what happens next. Empty for none.
    pub detail: String,
    /// The key by which a person refers to it, such as `config/file_corrupt`. Empty for none.
    pub key: String,
    /// The possible decisions of a person: verbs of the control endpoint, such as `acknowledge`.
    pub verbs: &'static [&'static str],
}

impl Note {
    /// An informational note, without detail and key.
    #[must_use]
    pub fn new(at: SystemTime, component: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            at,
            component: component.into(),
            text: text.into(),
            status: Status::Unknown,
            detail: String::new(),
            key: String::new(),
            verbs: &[],
        }
    }

    /// Sets its state. Default: [`Status::Unknown`].
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Sets the details. Default: none.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Sets its key. Default: none.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// Sets the possible decisions of a person. Default: none.
    #[must_use]
    pub fn verbs(mut self, verbs: &'static [&'static str]) -> Self {
        self.verbs = verbs;
        self
    }
}

fn unix_seconds<S: serde::Serializer>(at: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    let since = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    to.serialize_f64(since.as_secs_f64())
}

/// A source of [`Report`]s. Called on every request for `/health`, `/livez`, `/readyz` and the
/// page, so it must not block.
pub trait Source: Send + Sync + 'static {
    /// Takes a report.
    fn report(&self) -> Report;

    /// Whether the service is ready for traffic, for `/readyz`. Default: from a whole report.
    fn ready(&self) -> Check {
        self.report().ready
    }

    /// Whether the service makes progress internally, for `/livez`. Default: from a whole report.
    fn live(&self) -> Check {
        self.report().live
    }
}

impl<F: Fn() -> Report + Send + Sync + 'static> Source for F {
    fn report(&self) -> Report {
        self()
    }
}
