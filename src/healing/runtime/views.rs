//! Read access: issues, components, alerts, history.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Healing;
use super::sight::Blind;
use super::slots::DetectionResult;
use crate::healing::core::{
    Alert, Explanation, Issue, IssueKey, Moment, Name, NotKnown, ParkReason, Phase, Record,
    Severity, Snapshot, State,
};
use crate::healing::journal::HistoryFilter;
use crate::util::plain;

/// An open issue, and its phase.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OpenIssue {
    /// The issue.
    pub issue: Issue,
    /// Its phase.
    pub phase: Phase,
    /// Why it is left to a person, if it is.
    pub reason: Option<ParkReason>,
}

/// A component with open issues.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ComponentState {
    /// The component.
    pub component: Name,
    /// The severity of its worst issue.
    pub severity: Severity,
    /// Phase of its worst issue.
    pub phase: Phase,
    /// Whether it is left to a person: nothing more is done, except slow retries of reversible
    /// steps.
    pub left: bool,
    /// Its fault and [`Explanation::outlook`]: `down: restart, attempt 2 of 3; next in 8.0 s`.
    pub text: String,
    /// Number of its open issues.
    pub issues: usize,
}

/// A component that an engine watches.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchedComponent {
    /// The component.
    pub component: Name,
    /// The engine.
    pub engine: Name,
    /// Whether at least one detection run of the engine ended well.
    pub checked: bool,
    /// Why its state is unknown, if its detector fails or hangs.
    pub blind: Option<Blind>,
    /// A condition that its engine reports and that is no fault, such as a missing setting.
    pub remark: Option<&'static str>,
}

impl Healing {
    /// The current time on the engine's clock, as in [`Explanation::until`].
    #[must_use]
    pub fn now(&self) -> Moment {
        self.shell.timeline.now()
    }

    /// All current counts: one consistent copy.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.shell.snapshot()
    }

    /// The open issues, worst first, then oldest first.
    #[must_use]
    pub fn issues(&self) -> Vec<OpenIssue> {
        let owner = &self.shell.owner;
        let mut all: Vec<_> = owner.read(|state| state.issues().map(open_issue).collect());
        all.sort_by(|a, b| {
            let worse = b.issue.severity.cmp(&a.issue.severity);
            let older = a.issue.first_seen.at.cmp(&b.issue.first_seen.at);
            worse
                .then(older)
                .then_with(|| a.issue.key.cmp(&b.issue.key))
        });
        all
    }

    /// The open issue of a key; none if the key is good.
    #[must_use]
    pub fn issue(&self, key: &IssueKey) -> Option<OpenIssue> {
        let owner = &self.shell.owner;
        owner.read(|state| state.issue(key).map(open_issue))
    }

    /// The next action for a key, everything that holds it back, and its escalation; none if the
    /// key is good. It calls the code that decides, and changes nothing. See the
    /// [guide](crate::healing::guide).
    #[must_use]
    pub fn explain(&self, key: &IssueKey) -> Option<Explanation> {
        self.shell.owner.read(|state| state.explain(key))
    }

    /// The keys whose state the last detection run of their engine
    /// [could not determine](crate::healing::Context::unknown), with and without an open issue.
    #[must_use]
    pub fn unknown(&self) -> BTreeMap<IssueKey, NotKnown> {
        self.shell.owner.read(|state| {
            let unknown = state.unknown();
            unknown
                .map(|(key, why)| (key.clone(), why.clone()))
                .collect()
        })
    }

    /// The next action for each open issue, and what holds it back.
    #[must_use]
    pub fn dry_run(&self) -> Vec<Explanation> {
        self.shell.owner.read(|state| {
            let mut keys: Vec<_> = state.issues().map(|(issue, ..)| &issue.key).collect();
            keys.sort_unstable();
            let explained = keys.iter().filter_map(|key| state.explain(key));
            explained.collect()
        })
    }

    /// The firing alerts.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        self.shell.firing()
    }

    /// The components with open issues, by name, for health reports.
    #[must_use]
    pub fn components(&self) -> Vec<ComponentState> {
        let now = self.shell.timeline.now();
        self.shell.owner.read(|state| components(state, now))
    }

    /// The components that engines watch, by engine. An engine that named none is listed under its
    /// own name while its detector is blind.
    #[must_use]
    pub fn watched(&self) -> Vec<WatchedComponent> {
        let timeout = self.shell.policy(|policy| policy.timeout);
        let now = self.shell.timeline.now();
        let mut watched = Vec::new();
        for slot in self.shell.slots() {
            let blind = slot.sight.blind(now, timeout);
            let checked = slot.detections.get(DetectionResult::Ok) > 0;
            let itself = blind.is_some() && slot.components.is_empty();
            let itself = itself.then_some(&slot.name);
            let components = slot.components.iter().chain(itself);
            watched.extend(components.map(|component| WatchedComponent {
                component: component.clone(),
                engine: slot.name.clone(),
                checked,
                blind: blind.clone(),
                remark: slot.remark.text(),
            }));
        }
        watched
    }

    /// The newest records in memory, oldest first.
    #[must_use]
    pub fn recent(&self, most: usize) -> Vec<Arc<Record>> {
        self.shell.journal.recent(most)
    }

    /// The matching records, oldest first: those in memory and, if these do not fill the limit,
    /// those in the journal files, read on a blocking thread. It is the audit trail: the evidence,
    /// the decision and who made it (the policy, a person, an external alert), the action, and the
    /// verification. Unreadable files are skipped. Cancel-safe.
    pub async fn history(&self, filter: HistoryFilter) -> Vec<Arc<Record>> {
        let shell = &self.shell;
        shell.journal.history(filter, &shell.runtime).await
    }

    /// The detection runs of each engine, by result.
    #[must_use]
    pub fn detections(&self) -> Vec<(Name, DetectionResult, u64)> {
        self.shell.detections()
    }
}

fn components(state: &State, now: Moment) -> Vec<ComponentState> {
    let mut worst: BTreeMap<&Name, (&Issue, usize)> = BTreeMap::new();
    for (issue, ..) in state.issues() {
        let (known, count) = worst.entry(&issue.key.component).or_insert((issue, 0));
        *count += 1;
        if rank(issue) > rank(known) {
            *known = issue;
        }
    }
    let states = worst
        .into_iter()
        .filter_map(|(component, (issue, issues))| {
            let explained = state.explain(&issue.key)?;
            Some(ComponentState {
                component: component.clone(),
                severity: issue.severity,
                phase: explained.phase,
                left: explained.is_left(),
                text: format!(
                    "{}: {}",
                    plain(issue.key.issue_type.as_str()),
                    explained.outlook(now)
                ),
                issues,
            })
        });
    states.collect()
}

/// The rank of an issue: the worst first, then the oldest, independent of iteration order.
fn rank(issue: &Issue) -> (Severity, std::cmp::Reverse<(Moment, &IssueKey)>) {
    let first = (issue.first_seen.at, &issue.key);
    (issue.severity, std::cmp::Reverse(first))
}

fn open_issue((issue, phase, reason): (&Issue, Phase, Option<ParkReason>)) -> OpenIssue {
    OpenIssue {
        issue: issue.clone(),
        phase,
        reason,
    }
}
