use std::time::SystemTime;

use serde::Serialize;

use super::component::{Component, Status};
use super::score::Score;
use super::window::Traffic;

/// Everything that `/health` and the page say, taken at one moment.
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
    /// Further facts at a glance.
    pub facts: Vec<Fact>,
    /// Warnings that ask for a person, the newest first.
    pub alerts: Vec<Note>,
    /// Whether it wants traffic.
    pub ready: Check,
    /// Whether it makes progress inside. What it depends on has no say in this.
    pub live: Check,
    /// Recent events, newest first: each fault is one note, from its detection to its end.
    pub recent: Vec<Note>,
    /// The faults that are open, the worst first, with what happens next as their detail.
    pub open: Vec<Note>,
    /// The guards that hold actions back, and how much of each is left.
    pub guards: Vec<Fact>,
    /// The requests of the last five minutes; none where they are not measured.
    pub traffic: Option<Traffic>,
    /// The seconds that [`traffic`](Self::traffic) is of: fewer in the first minutes.
    pub traffic_seconds: f64,
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
            open: Vec::new(),
            guards: Vec::new(),
            traffic: None,
            traffic_seconds: 0.0,
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

/// One thing that happened, or that lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Note {
    /// The time, or the beginning, by the wall clock.
    #[serde(serialize_with = "unix_seconds")]
    pub at: SystemTime,
    /// The component that it is about.
    pub component: String,
    /// The event, in a few words.
    pub text: String,
    /// How it stands: up is good or over, degraded is being seen to, down needs a person, unknown
    /// is for information.
    pub status: Status,
    /// A few words or figures beside it: how long it took, what happens next. Empty for none.
    pub detail: String,
    /// The key by which a person refers to it, such as `config/file_corrupt`. Empty for none.
    pub key: String,
    /// The decisions that a person can make about it: verbs of the control endpoint, such as `acknowledge`.
    pub verbs: &'static [&'static str],
}

impl Note {
    /// A note for information, without detail and key.
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

    /// Sets how it stands. Default: [`Status::Unknown`].
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Sets the words beside it. Default: none.
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

    /// Sets what a person can decide about it. Default: nothing.
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

/// Where a [`Report`] comes from. It is asked on every request for `/health`, `/livez`,
/// `/readyz` and the page, so it must not block.
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
