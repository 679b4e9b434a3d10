//! Operator queries and commands of the endpoints.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;

use super::Selfheal;
use super::healing::Watched;
use super::stories;
use crate::healing::core::{Control, Moment, ShortText, Target};
use crate::healing::{By, Healing, IssueKey, ParkReason};
use crate::server::{Operator, Order, Subject};

/// The number of newest journal records searched for those of one component.
const MEMORY: usize = 10_000;

/// A callback that sets the application's log filter.
type SetLogLevel = dyn Fn(&str) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync;

/// The callback set by [`Selfheal::log_level`].
#[derive(Default)]
pub(super) struct LogLevel(Mutex<Option<Arc<SetLogLevel>>>);

struct Healer {
    watched: Arc<Watched>,
    log_level: Arc<LogLevel>,
}

impl Operator for Healer {
    fn explain(&self, component: &str, issue_type: &str) -> Option<String> {
        let healing = self.watched.running()?;
        let explained = healing.explain(&IssueKey::new(component, issue_type))?;
        let now = healing.now();
        let seconds = |at: Moment| (at - now).as_secs_f64();
        let holds = explained.holds.iter().map(|hold| {
            json!({
                "reason": hold.to_string(),
                "seconds_left": hold.until().map(seconds),
            })
        });
        let next = explained.next.as_ref().map(|next| {
            json!({
                "action": next.action.as_str(),
                "attempt": next.nth,
                "of": next.of,
                "risk": next.risk.as_str(),
                "mode": next.mode,
            })
        });
        let whole = json!({
            "key": explained.key.to_string(),
            "generation": explained.generation,
            "severity": explained.severity.as_str(),
            "phase": explained.phase.as_str(),
            "left_to_a_person": explained.gave_up.or(explained.reason).map(ParkReason::as_str),
            "phase_ends_in_seconds": explained.until.map(seconds),
            "next": next,
            "starts_in_seconds_at_the_earliest": seconds(explained.not_before),
            "held_back_by": holds.collect::<Vec<_>>(),
            "in_words": explained.outlook(now),
        });
        Some(whole.to_string())
    }

    fn history(&self, component: Option<&str>, most: usize) -> Vec<String> {
        let Some(healing) = self.watched.running() else {
            return Vec::new();
        };
        let records = healing.recent(if component.is_some() { MEMORY } else { most });
        let wanted = records.iter().filter(|record| match component {
            None => true,
            Some(name) => {
                stories::key(&record.what).is_some_and(|key| key.component.as_str() == name)
            }
        });
        let mut texts: Vec<_> = wanted
            .rev()
            .take(most)
            .filter_map(|record| serde_json::to_string(&**record).ok())
            .collect();
        texts.reverse();
        texts
    }

    fn control(&self, order: &Order, by: &str) -> Result<(), String> {
        let healing = self.watched.running().ok_or("healing does not run")?;
        let key = |subject: &Subject| IssueKey::new(&*subject.component, &*subject.issue_type);
        let control = match order {
            Order::Pause => Control::Pause,
            Order::Resume => Control::Resume,
            Order::Kill => Control::Kill,
            Order::Revive => Control::Revive,
            Order::Mute(subject, minutes) => Control::Mute {
                target: Target::Key(key(subject)),
                lasting: Duration::from_secs(60 * u64::from(*minutes)),
                tolerate: None,
            },
            Order::Unmute(subject) => Control::Unmute {
                target: Target::Key(key(subject)),
            },
            Order::Acknowledge(subject) => Control::Acknowledge { key: key(subject) },
            Order::Approve(subject) => Control::Approve {
                key: key(subject),
                generation: None,
            },
            Order::Deny(subject) => Control::Deny { key: key(subject) },
            Order::Trigger(subject) => Control::Trigger { key: key(subject) },
            Order::LogLevel(filter) => return self.set_log_level(&healing, filter, by),
        };
        let by = By::Person(by.into());
        let followed = healing.control(control, by);
        followed.map_err(|refused| refused.why.as_str().to_owned())
    }
}

impl Healer {
    /// Sets the log filter, after recording it and its author in the journal.
    fn set_log_level(&self, healing: &Healing, filter: &str, by: &str) -> Result<(), String> {
        let set = self.log_level.0.lock().clone();
        let set =
            set.ok_or("the application has not set how; it does so by `Selfheal::log_level`")?;
        let order = Control::LogLevel {
            filter: ShortText::new(filter),
        };
        let written = healing.control(order, By::Person(by.into()));
        written.map_err(|refused| refused.why.as_str().to_owned())?;
        match catch_unwind(AssertUnwindSafe(|| set(filter))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(why.to_string()),
            Err(_) => Err("the application panicked while setting the level".to_owned()),
        }
    }
}

impl Selfheal {
    /// Lets operators change the application's log filter at run time: `POST
    /// /api/control/log-level` with `{"filter":"info"}` calls `set` with the filter text. Like
    /// every command it needs [`Server::control`](crate::config::Server::control), credentials and
    /// the token, and the journal records its author. It lasts until the process ends. `set` is
    /// called on a worker of the endpoints and must not block; a later callback replaces an earlier
    /// one. Default: the command is refused.
    ///
    /// With the reload handle of `tracing-subscriber`:
    ///
    /// ```
    /// use selfheal::{Config, Selfheal};
    /// use tracing_subscriber::filter::LevelFilter;
    /// use tracing_subscriber::layer::SubscriberExt;
    /// use tracing_subscriber::{Registry, reload};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let heal = Selfheal::new(Config::new())?;
    /// let (filter, handle) = reload::Layer::new(LevelFilter::INFO);
    /// let subscriber = Registry::default().with(filter); // and what writes the log
    /// heal.log_level(move |level| Ok(handle.reload(level.parse::<LevelFilter>()?)?));
    /// # drop(subscriber);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// With its feature `env-filter`, `EnvFilter` instead of `LevelFilter` accepts directives per
    /// module: `shop=debug,info`.
    pub fn log_level(
        &self,
        set: impl Fn(&str) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) {
        *self.inner.log_level.0.lock() = Some(Arc::new(set));
    }

    pub(super) fn operator(&self) -> impl Operator + use<> {
        Healer {
            watched: Arc::clone(&self.inner.healing.watched),
            log_level: Arc::clone(&self.inner.log_level),
        }
    }
}
