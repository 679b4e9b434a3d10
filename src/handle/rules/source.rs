//! Sources of alerts, and the engines that act on them.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::received::Received;
use super::recent::Recent;
use super::wiring::Wiring;
use crate::healing::{Context, EngineHandle, Healing, IssueKey, OpenIssue, ParkReason, Phase};
use crate::promql::LabelSet;
use crate::rules::{AlertState, FileRule, RuleAlert};
use crate::util::lasting;

/// A source of alerts; it ends with the last handle.
#[derive(Clone)]
pub(super) enum Source {
    /// The rules of this process.
    Rules(Weak<Recent>),
    /// An Alertmanager.
    Received(Weak<Received>),
}

/// A source whose handle exists.
#[derive(Clone)]
pub(super) enum Live {
    Rules(Arc<Recent>),
    Received(Arc<Received>),
}

impl Source {
    pub(super) fn upgrade(&self) -> Option<Live> {
        match self {
            Self::Rules(recent) => recent.upgrade().map(Live::Rules),
            Self::Received(received) => received.upgrade().map(Live::Received),
        }
    }
}

impl Live {
    pub(super) fn downgrade(&self) -> Source {
        match self {
            Self::Rules(recent) => Source::Rules(Arc::downgrade(recent)),
            Self::Received(received) => Source::Received(Arc::downgrade(received)),
        }
    }

    /// The name of the engines that read its alerts.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Rules(_) => "alert",
            Self::Received(_) => "received alert",
        }
    }

    /// The time, in milliseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        match self {
            Self::Rules(recent) => recent.now(),
            Self::Received(received) => received.now(),
        }
    }

    pub(super) fn healing(&self) -> &Healing {
        match self {
            Self::Rules(recent) => recent.healing(),
            Self::Received(received) => received.healing(),
        }
    }

    pub(super) fn watchers(&self) -> &Watchers {
        match self {
            Self::Rules(recent) => &recent.watchers,
            Self::Received(received) => &received.watchers,
        }
    }

    /// All firing alerts that match, with their rules if they are rules of this process.
    pub(super) fn firing(
        &self,
        wanted: impl Fn(&LabelSet) -> bool,
    ) -> Vec<(Option<FileRule>, RuleAlert)> {
        let recent = match self {
            Self::Rules(recent) => recent,
            Self::Received(received) => {
                let mut firing = received.firing();
                firing.retain(|alert| wanted(&alert.labels));
                return firing.into_iter().map(|alert| (None, alert)).collect();
            }
        };
        let status = recent.status();
        let mut found = Vec::new();
        for group in status.iter() {
            for (rule, known) in group.group.rules.iter().zip(&group.rules) {
                let alerts = known.alerts.iter();
                let alerts = alerts.filter(|alert| alert.state == AlertState::Firing);
                let alerts = alerts.filter(|alert| wanted(&alert.labels));
                found.extend(alerts.map(|alert| (Some(rule.clone()), alert.clone())));
            }
        }
        found
    }

    /// Why the result of a rule is not final, if its history does not cover the range of the rule
    /// yet. Rules that are evaluated elsewhere are not concerned.
    pub(super) fn early(&self, rule: &FileRule) -> Option<String> {
        let Self::Rules(recent) = self else {
            return None;
        };
        let range = rule.expr.longest_range();
        let (name, lasts) = (&rule.name, lasting(range));
        let why = || format!("the history does not cover the {lasts} of {name} yet");
        (!recent.reaches(range)).then(why)
    }

    /// Declares that the open issues of these rules are not known to be gone while their result is
    /// not final: after a restart, an alert fires only later.
    pub(super) fn declare_unknown(&self, cx: &Context, wanted: impl Fn(&FileRule) -> bool) {
        let Self::Rules(recent) = self else {
            return;
        };
        let open = recent.healing().issues();
        if open.is_empty() {
            return;
        }
        let status = recent.status();
        let rules = status
            .iter()
            .flat_map(|group| group.group.rules.iter().zip(&group.rules));
        for (rule, known) in rules {
            let of_rule = |one: &&OpenIssue| *one.issue.key.issue_type.as_str() == *rule.name;
            let mut issues = open.iter().filter(of_rule).peekable();
            if issues.peek().is_none() || !wanted(rule) {
                continue;
            }
            let first = known.scope.is_evaluated() && known.evaluated_at.is_none();
            let first = first.then(|| format!("{} is not evaluated yet", rule.name));
            if let Some(why) = first.or_else(|| self.early(rule)) {
                issues.for_each(|one| cx.unknown(one.issue.key.clone(), why.as_str()));
            }
        }
    }

    /// Whether an alert adds nothing to its issue: the issue belongs to another engine while it is
    /// only reported, or it is being verified, and an Alertmanager is late to deliver that an alert
    /// is resolved.
    pub(super) fn is_no_news(&self, key: &IssueKey) -> bool {
        let Some(open) = self.healing().issue(key) else {
            return false;
        };
        let verified = matches!(open.phase, Phase::Verifying | Phase::Settling);
        open.reason == Some(ParkReason::ReportOnly)
            || (verified && matches!(self, Self::Received(_)))
    }
}

/// The engines that read alerts, and the alerts that have an action.
#[derive(Default)]
pub(super) struct Watchers(Mutex<Watching>);

#[derive(Default)]
struct Watching {
    engines: Vec<EngineHandle>,
    /// The wirings; each lives as long as its actions are registered.
    wirings: Vec<Weak<Wiring>>,
}

impl Watchers {
    /// Adds an engine that reads alerts and detects again when one has changed.
    pub(super) fn add(&self, engine: EngineHandle, wiring: Option<&Arc<Wiring>>) {
        {
            let mut watching = self.0.lock();
            watching.engines.push(engine);
            watching.wirings.retain(|known| known.strong_count() > 0);
            watching.wirings.extend(wiring.map(Arc::downgrade));
        }
        self.hint();
    }

    /// Whether no engine reads alerts yet.
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().engines.is_empty()
    }

    /// Triggers a detection run of all engines.
    pub(super) fn hint(&self) {
        let engines = self.0.lock().engines.clone();
        engines.iter().for_each(EngineHandle::hint);
    }

    /// The alerts that have an action.
    pub(super) fn wirings(&self) -> Vec<Arc<Wiring>> {
        let watching = self.0.lock();
        watching.wirings.iter().filter_map(Weak::upgrade).collect()
    }
}
