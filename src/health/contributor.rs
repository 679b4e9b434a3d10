use super::component::Component;
use super::report::{Check, Fact, Note};
use super::window::Traffic;

/// A contributor to a service's health report. Every method is called for every report, so none may
/// block; by default each contributes nothing.
///
/// ```
/// use selfheal::health::{Component, Contributor};
///
/// struct Database;
///
/// impl Contributor for Database {
///     fn components(&self) -> Vec<Component> {
///         vec![Component::new("db").share(0.4).health(1.0, "answers in 3 ms")]
///     }
/// }
///
/// # fn main() -> Result<(), selfheal::InstallError> {
/// let heal = selfheal::Selfheal::new(selfheal::Config::new())?;
/// heal.contribute(Database);
/// assert_eq!(heal.report().components[0].name, "db");
/// # Ok(())
/// # }
/// ```
pub trait Contributor: Send + Sync + 'static {
    /// The components of the service and their health.
    fn components(&self) -> Vec<Component> {
        Vec::new()
    }

    /// Counters of requests, since the process started.
    fn traffic(&self) -> Option<Traffic> {
        None
    }

    /// Further facts for the overview.
    fn facts(&self) -> Vec<Fact> {
        Vec::new()
    }

    /// Conditions that need a person's attention, with their start; in any order.
    fn alerts(&self) -> Vec<Note> {
        Vec::new()
    }

    /// Recent events, newest first.
    fn recent(&self) -> Vec<Note> {
        Vec::new()
    }

    /// The open faults, worst first, with the next action as their detail.
    fn open(&self) -> Vec<Note> {
        Vec::new()
    }

    /// The guards that hold actions back, and how much of each is left.
    fn guards(&self) -> Vec<Fact> {
        Vec::new()
    }

    /// Whether this contributor considers the service ready for traffic.
    fn ready(&self) -> Check {
        Check::passed()
    }

    /// Whether this contributor makes progress.
    fn live(&self) -> Check {
        Check::passed()
    }
}
