use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::util::closed_set;

/// A part of the service that can be healthy or not: a database, a background task, a file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Component {
    /// Its name.
    pub name: String,
    /// The share of the traffic that needs it, 0 to 1; `None` if unset.
    pub share: Option<f64>,
    /// The share of its requests that it can serve, 0 to 1; `None` if not checked yet.
    pub health: Option<f64>,
    /// Whether it could not be checked for so long that it counts as degraded, though its health is
    /// unknown.
    pub overdue: bool,
    /// A short description for a person, such as "down" or "restarting, attempt 2 of 3".
    pub detail: String,
    /// The healing engine that watches it, if any.
    pub engine: Option<String>,
}

impl Component {
    /// A component with unknown health.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            share: None,
            health: None,
            overdue: false,
            detail: String::new(),
            engine: None,
        }
    }

    /// Sets the share of the traffic that needs it, clamped to 0 to 1; NaN is unknown. Default:
    /// unknown.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = ratio(share);
        self
    }

    /// Sets its health and the reason, clamped to 0 to 1; NaN is unknown. Default: unknown.
    #[must_use]
    pub fn health(mut self, health: f64, detail: impl Into<String>) -> Self {
        self.health = ratio(health);
        self.detail = detail.into();
        self
    }

    /// Sets that it could not be checked, and why; `overdue` once that lasts so long that it counts
    /// as degraded.
    #[must_use]
    pub fn unseen(mut self, overdue: bool, detail: impl Into<String>) -> Self {
        self.health = None;
        self.overdue = overdue;
        self.detail = detail.into();
        self
    }

    /// Sets the healing engine that watches it, under which the page shows it. Default: none.
    #[must_use]
    pub fn engine(mut self, engine: impl Into<String>) -> Self {
        self.engine = Some(engine.into());
        self
    }

    /// The state in one word.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.health {
            None if self.overdue => Status::Degraded,
            None => Status::Unknown,
            Some(health) if health >= 1.0 => Status::Up,
            Some(health) if health > 0.0 => Status::Degraded,
            Some(_) => Status::Down,
        }
    }
}

/// Serializes the component with its state.
impl Serialize for Component {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut component = serializer.serialize_struct("Component", 6)?;
        component.serialize_field("name", &self.name)?;
        component.serialize_field("status", &self.status())?;
        component.serialize_field("share", &self.share)?;
        component.serialize_field("health", &self.health)?;
        component.serialize_field("detail", &self.detail)?;
        component.serialize_field("engine", &self.engine)?;
        component.end()
    }
}

fn ratio(value: f64) -> Option<f64> {
    (!value.is_nan()).then(|| value.clamp(0.0, 1.0))
}

closed_set! {
    /// The state of a component or of the service in one word.
    #[derive(Serialize)]
    #[serde(rename_all = "lowercase")]
    pub enum Status {
        /// Serves all of its requests.
        Up = "up",
        /// Not checked yet, or its detector fails.
        Unknown = "unknown",
        /// Serves a part of its requests.
        Degraded = "degraded",
        /// Serves none of its requests.
        Down = "down",
    }
}

impl Status {
    /// The state of a service: the worst of its components' states.
    #[must_use]
    pub fn worst(components: &[Component]) -> Self {
        components
            .iter()
            .map(Component::status)
            .max()
            .unwrap_or(Self::Up)
    }
}
