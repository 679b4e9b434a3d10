//! Maps alerts to issues: their selection, severity and verification.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::RulesError;
use super::recent::Recent;
use super::source::{Live, Source};
use crate::healing::{Context, Issue, IssueKey, Name, Observation, Severity, Verdict};
use crate::promql::{LabelSet, METRIC_NAME, Matcher, Query, QueryError};
use crate::rules::{ALERT_NAME, FileRule, Recheck, RuleAlert};

/// The limit of remembered ends of actions.
const ENDS: usize = 1_024;

/// The selection of alerts.
pub(super) struct Filter(Vec<Matcher>);

impl Filter {
    /// Parses the name of an alert, or a selector.
    pub(super) fn parse(alert: &str) -> Result<Self, QueryError> {
        let query = Query::parse(alert)?;
        let matchers = query.selectors().flatten().cloned().collect();
        Ok(Self(matchers))
    }

    fn matches(&self, labels: &LabelSet) -> bool {
        self.0.iter().all(|matcher| {
            let name = match matcher.name() {
                METRIC_NAME => ALERT_NAME,
                name => name,
            };
            matcher.matches(labels.get(name).unwrap_or_default())
        })
    }

    /// Whether alerts of this name may match.
    fn may_match(&self, name: &str) -> bool {
        let named = |matcher: &&Matcher| [METRIC_NAME, ALERT_NAME].contains(&matcher.name());
        self.0
            .iter()
            .filter(named)
            .all(|matcher| matcher.matches(name))
    }
}

/// The mapping of an alert to an issue.
pub(super) struct Mapping {
    pub(super) component: Option<Name>,
    pub(super) component_label: String,
    pub(super) severity_label: String,
    pub(super) severities: BTreeMap<String, Severity>,
    pub(super) await_history: bool,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            component: None,
            component_label: "component".to_owned(),
            severity_label: "severity".to_owned(),
            severities: BTreeMap::new(),
            await_history: true,
        }
    }
}

impl Mapping {
    fn severity(&self, alert: &RuleAlert) -> Severity {
        let value = alert.labels.get(&self.severity_label).unwrap_or_default();
        self.severities.get(value).copied().unwrap_or(match value {
            "critical" | "page" | "emergency" => Severity::Critical,
            "error" | "high" => Severity::Error,
            "info" | "none" | "low" => Severity::Info,
            _ => Severity::Warning,
        })
    }

    /// The key of the issue for an alert with these labels.
    fn key(&self, labels: &LabelSet) -> IssueKey {
        let name = labels.get(ALERT_NAME).unwrap_or_default();
        let component = match &self.component {
            Some(component) => component.clone(),
            None => Name::new(labels.get(&self.component_label).unwrap_or(name)),
        };
        IssueKey::new(component, name)
    }

    pub(super) fn observation(&self, alert: &RuleAlert) -> Observation {
        let IssueKey {
            component,
            issue_type,
        } = self.key(&alert.labels);
        let mut seen = Observation::new(component, issue_type).severity(self.severity(alert));
        if !alert.value.is_nan() {
            seen = seen.evidence("value", alert.value.to_string());
        }
        for (name, text) in alert.annotations.iter() {
            seen = seen.evidence(&**name, &**text);
        }
        for (name, value) in alert.labels.iter().filter(|(name, _)| *name != ALERT_NAME) {
            seen = seen.evidence(name, value);
        }
        seen
    }
}

/// An alert and its actions.
pub(super) struct Wiring {
    source: Source,
    /// `None` if the selector has a fault, which prevents installation.
    filter: Option<Filter>,
    mapping: Mapping,
    /// The time at which the last action for a key succeeded, in milliseconds since 1970.
    ends: Mutex<HashMap<IssueKey, i64>>,
}

impl Wiring {
    pub(super) fn new(live: &Live, filter: Option<Filter>, mapping: Mapping) -> Self {
        Self {
            source: live.downgrade(),
            filter,
            mapping,
            ends: Mutex::default(),
        }
    }

    pub(super) fn component(&self) -> Option<&Name> {
        self.mapping.component.as_ref()
    }

    /// Checks that a matching alert exists. Those of an Alertmanager are not known.
    pub(super) fn check(live: &Live, wanted: &str) -> Result<(), RulesError> {
        let filter = Filter::parse(wanted)?;
        let Live::Rules(recent) = live else {
            return Ok(());
        };
        let status = recent.status();
        let all = status.iter().flat_map(|group| &group.group.rules);
        let alerts: Vec<&str> = all
            .filter(|rule| rule.alerting.is_some())
            .map(|rule| &*rule.name)
            .collect();
        if alerts.iter().any(|name| filter.may_match(name)) {
            return Ok(());
        }
        Err(no_such_alert(wanted, &alerts))
    }

    pub(super) fn covers(&self, labels: &LabelSet) -> bool {
        self.filter
            .as_ref()
            .is_some_and(|filter| filter.matches(labels))
    }

    pub(super) fn acted(&self, key: IssueKey) {
        let Some(live) = self.source.upgrade() else {
            return;
        };
        let now = live.now();
        let mut ends = self.ends.lock();
        if ends.len() >= ENDS {
            let oldest = ends
                .iter()
                .min_by_key(|(_, end)| **end)
                .map(|(key, _)| key.clone());
            oldest.map(|oldest| ends.remove(&oldest));
        }
        ends.insert(key, now);
    }

    /// The firing alerts, as observations. Those of a rule whose range is not covered yet are not
    /// known.
    pub(super) async fn detect(self: &Arc<Self>, cx: &Context) -> Vec<Observation> {
        let Some(live) = self.source.upgrade() else {
            return Vec::new();
        };
        let (wiring, own) = (Arc::clone(self), cx.clone());
        let found = cx.blocking(move || {
            let early = |rule: &FileRule| {
                let waits = wiring.mapping.await_history;
                waits.then(|| live.early(rule)).flatten()
            };
            live.declare_unknown(&own, |rule| wiring.raises(rule));
            let mut found = Vec::new();
            for (rule, alert) in live.firing(|labels| wiring.covers(labels)) {
                let key = wiring.mapping.key(&alert.labels);
                if let Some(why) = rule.as_ref().and_then(early) {
                    own.unknown(key, format!("it fires, but {why}"));
                    continue;
                }
                let over = match (&live, &rule) {
                    (Live::Rules(recent), Some(rule)) => wiring.helped(recent, rule, &alert),
                    _ => false,
                };
                if !over && !live.is_no_news(&key) {
                    found.push(wiring.mapping.observation(&alert));
                }
            }
            found
        });
        found.await
    }

    /// Whether a rule may raise an alert of this wiring.
    fn raises(&self, rule: &FileRule) -> bool {
        let filter = self.filter.as_ref();
        rule.alerting.is_some() && filter.is_some_and(|filter| filter.may_match(&rule.name))
    }

    /// Whether an alert still fires only because its expression includes samples before the action.
    fn helped(&self, recent: &Recent, rule: &FileRule, alert: &RuleAlert) -> bool {
        let end = self
            .ends
            .lock()
            .get(&self.mapping.key(&alert.labels))
            .copied();
        let Some(end) = end.filter(|end| alert.active_at <= *end) else {
            return false;
        };
        match recent.recheck(rule, end) {
            Recheck::Gives(alerts) => !alerts.contains(&alert.labels),
            _ => false,
        }
    }

    /// Whether the fault of an issue is gone: by the same expression on samples after the action,
    /// or by the deliveries. Waits for these as long as it may.
    pub(super) async fn verify(self: &Arc<Self>, cx: &Context, issue: &Issue) -> Verdict {
        const PAUSE: Duration = Duration::from_millis(250);
        let end = self.ends.lock().get(&issue.key).copied();
        let (Some(live), Some(end)) = (self.source.upgrade(), end) else {
            return Verdict::Unknown;
        };
        loop {
            let (wiring, live, key) = (Arc::clone(self), live.clone(), issue.key.clone());
            let verdict = cx.blocking(move || match live {
                Live::Rules(recent) => {
                    recent.tick(recent.now());
                    wiring.judge(&recent, &key, end)
                }
                Live::Received(_) => {
                    let fires = live.firing(|labels| wiring.covers(labels));
                    let mut fires = fires.iter();
                    if fires.any(|(_, alert)| wiring.mapping.key(&alert.labels) == key) {
                        // It may be resolved but not delivered yet.
                        Verdict::Unknown
                    } else {
                        Verdict::Good
                    }
                }
            });
            match verdict.await {
                Verdict::Unknown if cx.remaining() > 2 * PAUSE => cx.sleep(PAUSE).await,
                verdict => return verdict,
            }
        }
    }

    fn judge(&self, recent: &Recent, key: &IssueKey, end: i64) -> Verdict {
        let mut verdict = Verdict::Good;
        let status = recent.status();
        for rule in status.iter().flat_map(|group| &group.group.rules) {
            if *rule.name != *key.issue_type.as_str() || !self.raises(rule) {
                continue;
            }
            match recent.recheck(rule, end) {
                Recheck::Gives(alerts) => {
                    let mut same = alerts.iter().filter(|labels| self.covers(labels));
                    if same.any(|labels| self.mapping.key(labels) == *key) {
                        return Verdict::Bad;
                    }
                }
                _ => verdict = Verdict::Unknown,
            }
        }
        verdict
    }
}

fn no_such_alert(wanted: &str, known: &[&str]) -> RulesError {
    let known = match known {
        [] => "none".to_owned(),
        known => known.join(", "),
    };
    RulesError::NoSuchAlert {
        wanted: wanted.to_owned(),
        known,
    }
}
