use serde::Deserialize;

/// Operator queries and commands: the implementation of `/api/explain/…`, `/api/history` and
/// `/api/control/…`.
///
/// [`Selfheal`](crate::Selfheal) provides one. Each method is called on a worker of the endpoints,
/// so it must not block; texts are JSON.
pub trait Operator: Send + Sync + 'static {
    /// The state of the open issue of a key, its next step and what holds it back; `None` if no
    /// issue is open.
    fn explain(&self, component: &str, issue_type: &str) -> Option<String>;

    /// The newest records in memory, oldest first, at most `most`; only those of `component` if
    /// given.
    fn history(&self, component: Option<&str>, most: usize) -> Vec<String>;

    /// Executes a command at once, completely or not at all. `by` is its author.
    ///
    /// # Errors
    /// Why it is refused, and how to proceed.
    fn control(&self, order: &Order, by: &str) -> Result<(), String>;
}

/// An operator command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Starts nothing until [`Resume`](Self::Resume); running attempts continue.
    Pause,
    /// Ends a pause.
    Resume,
    /// Starts nothing, and cancels running attempts.
    Kill,
    /// Ends a kill.
    Revive,
    /// Starts nothing for an issue, for some minutes.
    Mute(Subject, u32),
    /// Ends a mute.
    Unmute(Subject),
    /// Acknowledges an issue: if it was left to a person, it starts again.
    Acknowledge(Subject),
    /// Approves the step that waits for approval.
    Approve(Subject),
    /// Denies the step that waits for approval.
    Deny(Subject),
    /// Detects now, and heals as if acknowledged and approved.
    Trigger(Subject),
    /// Sets the application's log filter until the process ends.
    LogLevel(String),
}

/// The key of an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The component with the fault.
    pub component: String,
    /// The kind of fault.
    pub issue_type: String,
}

/// The verbs of the control endpoint, and whether each needs a key.
pub(super) const VERBS: [(&str, bool); 11] = [
    ("pause", false),
    ("resume", false),
    ("kill", false),
    ("revive", false),
    ("mute", true),
    ("unmute", true),
    ("acknowledge", true),
    ("approve", true),
    ("deny", true),
    ("trigger", true),
    (LOG_LEVEL, false),
];

const LOG_LEVEL: &str = "log-level";

/// The size limit of a filter, in bytes.
const LONGEST_FILTER: usize = 256;

/// The body of a request to the control endpoint.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Details {
    key: String,
    minutes: Option<u32>,
    filter: Option<String>,
}

/// The longest mute: a day. The policy is the place for longer ones.
const MOST_MINUTES: u32 = 24 * 60;

impl Order {
    /// # Errors
    /// The fault of the request, and what to send instead.
    pub(super) fn read(verb: &str, details: &Details) -> Result<Self, String> {
        let Some((_, keyed)) = VERBS.iter().find(|(name, _)| *name == verb) else {
            let names = VERBS.map(|(name, _)| name).join(", ");
            return Err(format!("there is no such verb; there are {names}"));
        };
        let subject = match details.key.split_once('/') {
            Some((component, issue_type)) if *keyed => Subject {
                component: component.to_owned(),
                issue_type: issue_type.to_owned(),
            },
            None if !keyed && details.key.is_empty() => Subject {
                component: String::new(),
                issue_type: String::new(),
            },
            _ if *keyed => return Err("`key` must be `component/issue_type`".to_owned()),
            _ => return Err("this verb has no `key`; leave it out".to_owned()),
        };
        let minutes = details.minutes.unwrap_or(60);
        if verb != "mute" && details.minutes.is_some() {
            return Err("only `mute` has `minutes`; leave them out".to_owned());
        }
        if !(1..=MOST_MINUTES).contains(&minutes) {
            return Err(format!("`minutes` must be 1 to {MOST_MINUTES}"));
        }
        if verb != LOG_LEVEL && details.filter.is_some() {
            return Err("only `log-level` has a `filter`; leave it out".to_owned());
        }
        let filter = details.filter.as_deref().unwrap_or_default();
        if verb == LOG_LEVEL && !(1..=LONGEST_FILTER).contains(&filter.len()) {
            return Err(format!(
                "`filter` must be a log filter such as `info`, of 1 to {LONGEST_FILTER} bytes"
            ));
        }
        Ok(match verb {
            LOG_LEVEL => Self::LogLevel(filter.to_owned()),
            "pause" => Self::Pause,
            "resume" => Self::Resume,
            "kill" => Self::Kill,
            "revive" => Self::Revive,
            "mute" => Self::Mute(subject, minutes),
            "unmute" => Self::Unmute(subject),
            "acknowledge" => Self::Acknowledge(subject),
            "approve" => Self::Approve(subject),
            "deny" => Self::Deny(subject),
            _ => Self::Trigger(subject),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(verb: &str, body: &str) -> Result<Order, String> {
        let details: Details = serde_json::from_str(body).map_err(|error| error.to_string())?;
        Order::read(verb, &details)
    }

    #[test]
    fn each_verb_is_an_order_of_its_own() {
        let mut seen = Vec::new();
        for (verb, keyed) in VERBS {
            let body = match verb {
                LOG_LEVEL => r#"{"filter":"shop=debug"}"#,
                _ if keyed => r#"{"key":"db/down"}"#,
                _ => "{}",
            };
            let order = read(verb, body).unwrap();
            assert!(!seen.contains(&order), "{verb}");
            seen.push(order);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (verb, body, want) in [
            ("stop", "{}", "there is no such verb"),
            ("mute", "{}", "`key` must be"),
            ("pause", r#"{"key":"db/down"}"#, "leave it out"),
            ("deny", r#"{"key":"db/down","minutes":5}"#, "only `mute`"),
            ("mute", r#"{"key":"db/down","minutes":0}"#, "1 to 1440"),
            ("mute", r#"{"kee":"db/down"}"#, "unknown field"),
            ("log-level", "{}", "1 to 256 bytes"),
            ("log-level", r#"{"filter":""}"#, "1 to 256 bytes"),
            ("pause", r#"{"filter":"info"}"#, "only `log-level`"),
        ] {
            let error = read(verb, body).unwrap_err();
            assert!(error.contains(want), "{verb} {body}: {error}");
        }
    }
}
