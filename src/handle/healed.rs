//! The healing engine's part of the health report.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;

use super::healing::Watched;
use super::stories;
use crate::config::Mode;
use crate::healing::runtime::ComponentState;
use crate::healing::{Alert, Closed, Name, OpenIssue, Phase, Severity};
use crate::health::{Check, Component, Contributor, Fact, Note, Status};
use crate::util::lasting;

/// How long a task that should run every second may not run before its runtime counts as stalled.
const STALLED: Duration = Duration::from_secs(10);

/// Contributes the state of the healing engine to health reports.
pub(super) struct Healed(pub(super) Arc<Watched>);

impl Contributor for Healed {
    fn components(&self) -> Vec<Component> {
        let Some(healing) = self.0.running() else {
            return Vec::new();
        };
        let mut open: BTreeMap<Name, ComponentState> = healing
            .components()
            .into_iter()
            .map(|state| (state.component.clone(), state))
            .collect();
        let shares = self.0.shares.lock().clone();
        let part = |name: &Name| {
            let part = Component::new(name.as_str());
            match shares.get(name) {
                Some(share) => part.share(*share),
                None => part,
            }
        };
        let mut parts: Vec<Component> = Vec::new();
        let mut places = BTreeMap::new();
        for watched in healing.watched() {
            let name = watched.component;
            let one = part(&name).engine(watched.engine.as_str());
            let seen = match (open.remove(&name), watched.blind) {
                (Some(state), _) => one.health(health(&state), state.text),
                (None, Some(blind)) => {
                    let (seconds, why) = (blind.lasting.as_secs(), blind.why);
                    let detail = format!("not seen for {seconds} s: {why}");
                    one.unseen(blind.overdue, detail)
                }
                (None, None) if watched.checked => one.health(1.0, well(watched.remark)),
                (None, None) => one,
            };
            // If several engines report a component, the worst report counts.
            let place = *places.entry(name).or_insert(parts.len());
            match parts.get_mut(place) {
                Some(known) if seen.status() > known.status() => *known = seen,
                Some(_) => {}
                None => parts.push(seen),
            }
        }
        // Components that were not registered in advance but have an issue.
        parts.extend(
            open.into_values()
                .map(|state| part(&state.component).health(health(&state), state.text)),
        );
        parts
    }

    fn facts(&self) -> Vec<Fact> {
        let Some(healing) = self.0.engine() else {
            return Vec::new();
        };
        if healing.is_orphaned() {
            let state = "ended with its runtime; to supervise or guard anything in another runtime \
                         starts it again";
            return vec![Fact::new("healing is", state)];
        }
        let now = healing.snapshot();
        let open: u64 = Phase::ALL.iter().map(|phase| now.open.get(*phase)).sum();
        let mut facts = vec![
            Fact::new("issues healed", now.closed.get(Closed::Healed).to_string()),
            Fact::new("issues open", open.to_string()),
        ];
        // The reasons for which no action may start.
        let held = [
            (now.shutting_down, "shut down"),
            (now.killed, "switched off by the kill switch"),
            (now.paused, "paused"),
            (
                now.storm,
                "held back, since too many components are bad at once",
            ),
        ];
        let held = held.into_iter().find(|(so, _)| *so);
        facts.extend(held.map(|(_, state)| Fact::new("healing is", state)));
        if !now.journal_healthy {
            facts.push(Fact::new("journal", "cannot be written"));
        }
        facts
    }

    fn alerts(&self) -> Vec<Note> {
        let firing = self.0.running().map(|healing| healing.alerts());
        let alert = |alert: Alert| {
            let at = stories::wall(alert.since);
            let status = match alert.severity {
                Severity::Info | Severity::Warning => Status::Degraded,
                Severity::Error | Severity::Critical => Status::Down,
            };
            let note = match &alert.id.key {
                Some(key) => Note::new(at, key.component.as_str(), stories::summary(&alert, key))
                    .key(key.to_string())
                    .verbs(&["acknowledge", "mute"]),
                None => Note::new(at, "healing", alert.summary.as_str()),
            };
            note.status(status)
                .detail(stories::words(alert.id.kind.as_str()))
        };
        firing.unwrap_or_default().into_iter().map(alert).collect()
    }

    fn recent(&self) -> Vec<Note> {
        /// A fault has a few records; this is more faults than a person reads.
        const MOST: usize = 250;
        let healing = self.0.running();
        healing.map_or_else(Vec::new, |healing| stories::fold(&healing.recent(MOST)))
    }

    fn open(&self) -> Vec<Note> {
        let Some(healing) = self.0.running() else {
            return Vec::new();
        };
        let now = healing.now();
        let note = |open: OpenIssue| {
            let key = &open.issue.key;
            let explained = healing.explain(key)?;
            let status = match (open.reason, open.issue.severity) {
                (Some(_), _) => Status::Down,
                (None, _) => Status::Degraded,
            };
            let text = stories::words(key.issue_type.as_str());
            let note = Note::new(
                stories::wall(open.issue.first_seen),
                key.component.as_str(),
                text,
            );
            let verbs: &[&str] = match (open.phase, open.reason) {
                (Phase::Approval, _) => &["approve", "deny"],
                (_, Some(_)) => &["trigger", "mute"],
                _ => &["mute"],
            };
            let note = note.status(status).key(key.to_string()).verbs(verbs);
            Some(note.detail(explained.outlook(now)))
        };
        let issues = healing.issues();
        let mut unknown = healing.unknown();
        for open in &issues {
            unknown.remove(&open.issue.key);
        }
        let unknown = unknown.into_iter().map(|(key, unknown)| {
            let at = stories::wall(unknown.since);
            let text = stories::words(key.issue_type.as_str());
            Note::new(at, key.component.as_str(), text)
                .key(key.to_string())
                .detail(format!("not known now: {}", unknown.why))
        });
        issues.into_iter().filter_map(note).chain(unknown).collect()
    }

    fn guards(&self) -> Vec<Fact> {
        let Some(healing) = self.0.running() else {
            return Vec::new();
        };
        let (now, policy) = (healing.snapshot(), healing.policy());
        let budget = policy.budget.global;
        let storm = if now.storm { "nothing starts" } else { "calm" };
        let mode = match policy.modes.disruptive {
            _ if policy.dry_run => "reported only",
            Mode::Run => "run",
            Mode::Approval => "wait for approval",
            Mode::DryRun => "reported only",
        };
        vec![
            Fact::new(
                format!("attempts left, {}", lasting(budget.window)),
                format!("{} of {}", now.budget_left, budget.max),
            ),
            Fact::new(
                "running now",
                format!("{} of {}", now.attempts_running, policy.max_running),
            ),
            Fact::new(
                "storm",
                format!(
                    "{storm}, {} of {} unhealthy",
                    now.components_bad, now.components_known
                ),
            ),
            Fact::new(
                "journal",
                if now.journal_healthy {
                    "healthy"
                } else {
                    "cannot be written"
                },
            ),
            Fact::new("disruptive actions", mode),
        ]
    }

    fn ready(&self) -> Check {
        if self.0.shutting_down.load(Ordering::Relaxed) {
            return Check::failed("shutting down");
        }
        let not_ready = self.0.running().map(|healing| healing.not_ready());
        match not_ready.as_deref() {
            None | Some([]) => Check::passed(),
            Some([first, others @ ..]) => {
                let more = match others.len() {
                    0 => String::new(),
                    more => format!(", and on {more} more"),
                };
                Check::failed(format!("healing has given up on {first}{more}"))
            }
        }
    }

    fn live(&self) -> Check {
        let Some(healing) = self.0.engine().filter(|healing| !healing.has_ended()) else {
            return Check::passed();
        };
        // A caller inside the runtime shows that it runs; the call itself had to wait for it.
        let here = Handle::try_current().is_ok_and(|here| here.id() == healing.runtime().id());
        let silent = self.0.progress.silent();
        match Some(silent).filter(|silent| !here && *silent > STALLED) {
            None => Check::passed(),
            Some(silent) => {
                Check::failed(format!("the runtime has made no progress for {silent:.0?}"))
            }
        }
    }
}

fn well(remark: Option<&str>) -> String {
    match remark {
        Some(remark) => format!("well; {remark}"),
        None => "well".to_owned(),
    }
}

/// The assumed share of its work that a component does during an issue of this severity, unless it
/// is measured. A component that will not be repaired soon does none.
fn health(state: &ComponentState) -> f64 {
    match state.severity {
        Severity::Info => 1.0,
        Severity::Warning => 0.9,
        Severity::Error if state.left => 0.0,
        Severity::Error => 0.5,
        Severity::Critical => 0.0,
    }
}
