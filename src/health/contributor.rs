use super::component::Component;
use super::report::{Check, Fact, Note};
use super::window::Traffic;

/// What one part of a service contributes to its health report. Every method is called
/// at every report, so none may block; by default each contributes nothing.
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
    /// Parts of the service and how well they are.
    fn components(&self) -> Vec<Component> {
        Vec::new()
    }

    /// Counters of requests, since the process started.
    fn traffic(&self) -> Option<Traffic> {
        None
    }

    /// What else a person wants to know at a glance.
    fn facts(&self) -> Vec<Fact> {
        Vec::new()
    }

    /// What a person should do something about, since when; in any order.
    fn alerts(&self) -> Vec<Note> {
        Vec::new()
    }

    /// What happened lately, newest first.
    fn recent(&self) -> Vec<Note> {
        Vec::new()
    }

    /// The faults that are open, the worst first, with what happens next as their detail.
    fn open(&self) -> Vec<Note> {
        Vec::new()
    }

    /// What holds actions back, and how much of it is left.
    fn guards(&self) -> Vec<Fact> {
        Vec::new()
    }

    /// Whether the service wants traffic, as far as this contributor has a say.
    fn ready(&self) -> Check {
        Check::passed()
    }

    /// Whether this contributor makes progress.
    fn live(&self) -> Check {
        Check::passed()
    }
}
