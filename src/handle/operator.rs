//! What people ask of healing and decide through the endpoints.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::Selfheal;
use super::healing::Watched;
use super::stories;
use crate::healing::core::{Control, Moment, Target};
use crate::healing::{By, IssueKey, ParkReason};
use crate::server::{Operator, Order, Subject};

/// So much is read of the journal's records in memory for those of one component.
const MEMORY: usize = 10_000;

struct Healer(Arc<Watched>);

impl Operator for Healer {
    fn explain(&self, component: &str, issue_type: &str) -> Option<String> {
        let healing = self.0.running()?;
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
            "in_words": stories::outlook(&explained, now),
        });
        Some(whole.to_string())
    }

    fn history(&self, component: Option<&str>, most: usize) -> Vec<String> {
        let Some(healing) = self.0.running() else {
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
        let healing = self.0.running().ok_or("healing does not run")?;
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
        };
        let by = By::Person(by.into());
        let followed = healing.control(control, by);
        followed.map_err(|refused| refused.why.as_str().to_owned())
    }
}

impl Selfheal {
    pub(super) fn operator(&self) -> impl Operator + use<> {
        Healer(Arc::clone(&self.inner.healing.watched))
    }
}
