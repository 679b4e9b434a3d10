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
use crate::healing::{By, IssueKey, ParkReason};
use crate::server::{Details, NotDone, Operator};

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
        let key = IssueKey::new(component, issue_type);
        let Some(explained) = healing.explain(&key) else {
            let unknown = healing.unknown();
            let why = &unknown.get(&key)?.why;
            let whole = json!({
                "key": key.to_string(),
                "in_words": format!("no issue is open; not known now: {why}"),
            });
            return Some(whole.to_string());
        };
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

    fn verbs(&self) -> &[&str] {
        &VERBS
    }

    fn control(&self, verb: &str, details: &Details, by: &str) -> Result<(), NotDone> {
        let control = read(verb, details).map_err(NotDone::Fault)?;
        self.follow(control, by).map_err(NotDone::Refused)
    }
}

impl Healer {
    /// Hands a decision to the engine. The log filter is set once the journal has it.
    fn follow(&self, control: Control, by: &str) -> Result<(), String> {
        let healing = self.watched.running().ok_or("healing does not run")?;
        let set = match &control {
            Control::LogLevel { filter } => Some((self.setter()?, filter.clone())),
            _ => None,
        };
        let followed = healing.control(control, By::Person(by.into()));
        followed.map_err(|refused| refused.why.as_str().to_owned())?;
        let Some((set, filter)) = set else {
            return Ok(());
        };
        match catch_unwind(AssertUnwindSafe(|| set(filter.as_str()))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(why.to_string()),
            Err(_) => Err("the application panicked while setting the level".to_owned()),
        }
    }

    fn setter(&self) -> Result<Arc<SetLogLevel>, String> {
        let set = self.log_level.0.lock().clone();
        let none = "the application has not set how; it does so by `Selfheal::log_level`";
        set.ok_or_else(|| none.to_owned())
    }
}

/// The verbs of commands.
const VERBS: [&str; 11] = [
    "pause",
    "resume",
    "kill",
    "revive",
    MUTE,
    "unmute",
    "acknowledge",
    "approve",
    "deny",
    "trigger",
    LOG_LEVEL,
];

const MUTE: &str = "mute";
const LOG_LEVEL: &str = "log-level";

/// The longest mute: a day. The policy is the place for longer ones.
const MOST_MINUTES: u32 = 24 * 60;

/// The size limit of a filter, in bytes: that of a [`ShortText`].
const LONGEST_FILTER: usize = 256;

/// The command of a request, or its fault and what to send instead.
fn read(verb: &str, details: &Details) -> Result<Control, String> {
    let minutes = details.minutes.unwrap_or(60);
    let filter = details.filter.as_deref().unwrap_or_default();
    let key = || match details.key.split_once('/') {
        Some((component, issue_type)) => Ok(IssueKey::new(component, issue_type)),
        None => Err("`key` must be `component/issue_type`"),
    };
    let target = || key().map(Target::Key);
    let control = match verb {
        "pause" => Control::Pause,
        "resume" => Control::Resume,
        "kill" => Control::Kill,
        "revive" => Control::Revive,
        MUTE => Control::Mute {
            target: target()?,
            lasting: Duration::from_secs(60 * u64::from(minutes)),
            tolerate: None,
        },
        "unmute" => Control::Unmute { target: target()? },
        "acknowledge" => Control::Acknowledge { key: key()? },
        "approve" => Control::Approve {
            key: key()?,
            generation: None,
        },
        "deny" => Control::Deny { key: key()? },
        "trigger" => Control::Trigger { key: key()? },
        LOG_LEVEL => Control::LogLevel {
            filter: ShortText::new(filter),
        },
        _ => {
            let names = VERBS.join(", ");
            return Err(format!("there is no such verb; there are {names}"));
        }
    };
    let has_key = !matches!(
        control,
        Control::Pause
            | Control::Resume
            | Control::Kill
            | Control::Revive
            | Control::LogLevel { .. }
    );
    if !has_key && !details.key.is_empty() {
        return Err("this verb has no `key`; leave it out".to_owned());
    }
    if verb != MUTE && details.minutes.is_some() {
        return Err("only `mute` has `minutes`; leave them out".to_owned());
    }
    if !(1..=MOST_MINUTES).contains(&minutes) {
        return Err(format!("`minutes` must be 1 to {MOST_MINUTES}"));
    }
    if verb != LOG_LEVEL && details.filter.is_some() {
        return Err("only `log-level` has a `filter`; leave it out".to_owned());
    }
    if verb == LOG_LEVEL && !(1..=LONGEST_FILTER).contains(&filter.len()) {
        return Err(format!(
            "`filter` must be a log filter such as `info`, of 1 to {LONGEST_FILTER} bytes"
        ));
    }
    Ok(control)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn asked(verb: &str, body: &str) -> Result<Control, String> {
        let details: Details = serde_json::from_str(body).map_err(|error| error.to_string())?;
        read(verb, &details)
    }

    #[test]
    fn each_verb_is_a_decision_of_its_own_and_described() {
        let mut seen = Vec::new();
        for verb in VERBS {
            let bodies = ["{}", r#"{"key":"db/down"}"#, r#"{"filter":"shop=debug"}"#];
            let read = bodies.map(|body| asked(verb, body).ok());
            let [control] = &*read.into_iter().flatten().collect::<Vec<_>>() else {
                panic!("{verb} takes one of them");
            };
            assert!(!seen.contains(control), "{verb}");
            seen.push(control.clone());
        }
        let api: serde_json::Value =
            serde_json::from_str(include_str!("../server/api/openapi.json")).unwrap();
        let verb = &api["paths"]["/api/control/{verb}"]["post"]["parameters"][0];
        let described = verb["schema"]["enum"].as_array().unwrap();
        let described: BTreeSet<_> = described.iter().filter_map(|verb| verb.as_str()).collect();
        assert_eq!(described, VERBS.into());
    }

    #[test]
    fn a_mute_is_for_an_hour_unless_it_is_given_another_time() {
        let lasting = |body: &str| match asked(MUTE, body).unwrap() {
            Control::Mute { lasting, .. } => lasting.as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!(lasting(r#"{"key":"db/down"}"#), 3_600);
        assert_eq!(lasting(r#"{"key":"db/down","minutes":5}"#), 300);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let long = format!(r#"{{"filter":"{}"}}"#, "x".repeat(257));
        for (verb, body, want) in [
            (
                "stop",
                "{}",
                "there is no such verb; there are pause, resume",
            ),
            ("mute", "{}", "`key` must be"),
            ("pause", r#"{"key":"db/down"}"#, "leave it out"),
            ("deny", r#"{"key":"db/down","minutes":5}"#, "only `mute`"),
            ("mute", r#"{"key":"db/down","minutes":0}"#, "1 to 1440"),
            ("mute", r#"{"key":"db/down","minutes":1441}"#, "1 to 1440"),
            ("mute", r#"{"kee":"db/down"}"#, "unknown field"),
            ("log-level", "{}", "1 to 256 bytes"),
            ("log-level", r#"{"filter":""}"#, "1 to 256 bytes"),
            ("log-level", &*long, "1 to 256 bytes"),
            ("pause", r#"{"filter":"info"}"#, "only `log-level`"),
        ] {
            let error = asked(verb, body).unwrap_err();
            assert!(error.contains(want), "{verb} {body}: {error}");
        }
    }
}
