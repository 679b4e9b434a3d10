//! Where alerts come from, and what acts on them.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use super::received::Received;
use super::recent::Recent;
use super::wiring::Wiring;
use crate::healing::{EngineHandle, Healing, IssueKey, ParkReason, Phase};
use crate::promql::LabelSet;
use crate::rules::{AlertState, FileRule, RuleAlert};

/// Where alerts come from. It goes with the last handle.
#[derive(Clone)]
pub(super) enum Source {
    /// The rules of this process.
    Rules(Weak<Recent>),
    /// An Alertmanager.
    Received(Weak<Received>),
}

/// A source that is there.
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

    /// What the engines that see its alerts are called.
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

    fn healing(&self) -> &Healing {
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

    /// All alerts that fire and are wanted, with their rules where these are here.
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

    /// Whether its history reaches as far back as a rule looks; always, where the rule is elsewhere.
    pub(super) fn reaches(&self, range: Duration) -> bool {
        match self {
            Self::Rules(recent) => recent.reaches(range),
            Self::Received(_) => true,
        }
    }

    /// Whether an alert is no news about its issue: that is another engine's as long as it is only
    /// reported; and a verification is under way, and an Alertmanager does not say at once that
    /// something is over.
    pub(super) fn is_no_news(&self, key: &IssueKey) -> bool {
        let Some(open) = self.healing().issue(key) else {
            return false;
        };
        let verified = matches!(open.phase, Phase::Verifying | Phase::Settling);
        open.reason == Some(ParkReason::ReportOnly)
            || (verified && matches!(self, Self::Received(_)))
    }
}

/// The engines that look at alerts, and the alerts that have an action.
#[derive(Default)]
pub(super) struct Watchers(Mutex<Watching>);

#[derive(Default)]
struct Watching {
    engines: Vec<EngineHandle>,
    /// As long as their actions are registered.
    wirings: Vec<Weak<Wiring>>,
}

impl Watchers {
    /// An engine reads alerts, and is to detect anew when one has changed.
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

    /// Has all of them look again.
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
