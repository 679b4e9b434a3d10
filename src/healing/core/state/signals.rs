//! Outputs of the core: records, notices, alerts and wake-ups.

use std::time::Duration;

use super::State;
use super::queue::WaitFor;
use super::timers::Timer;
use crate::healing::core::{
    AlertId, AlertKind, Dropped, Effect, IssueKey, Moment, Name, Notice, Severity, ShortText, What,
};

/// The minimum time between two reports of dropped observations.
const REPORT_DROPS_EVERY: Duration = Duration::from_secs(1);

/// How long after the last drop the alert about it ends.
const OVERFLOW_LASTS: Duration = Duration::from_secs(60);

impl State {
    pub(super) fn emit(&mut self, effect: Effect) {
        self.out.push(effect);
    }

    pub(super) fn record(&mut self, what: What) {
        let record = self.numbered(what);
        self.emit(Effect::Record(Box::new(record)));
    }

    pub(super) fn refuse(&mut self, why: impl Into<ShortText>) {
        let why = why.into();
        self.emit(Effect::Notice(Notice::Refused { why }));
    }

    /// Reports an answer to a request that is no longer open.
    pub(super) fn late(&mut self, what: &str) {
        self.tally.late += 1;
        let what = Name::new(what);
        self.emit(Effect::Notice(Notice::Late { what }));
    }

    /// Counts dropped observations; the key is that of the last.
    pub(super) fn dropped(&mut self, reason: Dropped, key: IssueKey, many: u64) {
        self.tally.observations.dropped.add_many(reason, many);
        let before = self.drops.get(&reason).map_or(0, |(_, count)| *count);
        self.drops
            .insert(reason, (key, before.saturating_add(many)));
        if self.timers.get(&Timer::Drops).is_none() {
            self.report_drops();
        }
    }

    fn report_drops(&mut self) {
        let drops = std::mem::take(&mut self.drops);
        if !drops.is_empty() {
            let again = self.now.at + REPORT_DROPS_EVERY;
            self.timers.set(Timer::Drops, again);
        }
        for (reason, (key, count)) in drops {
            if reason == Dropped::Full {
                let id = AlertId::global(AlertKind::Overflow);
                self.raise(id.clone(), Severity::Error, || {
                    format!("too many open issues: {key} was dropped")
                });
                self.expire_alert(&id, self.now.at + OVERFLOW_LASTS);
            }
            self.emit(Effect::Notice(Notice::Dropped { reason, key, count }));
        }
    }

    pub(super) fn raise<T: Into<ShortText>>(
        &mut self,
        id: AlertId,
        severity: Severity,
        summary: impl FnOnce() -> T,
    ) {
        let limit = self.policy.limits.alerts;
        let summary = || summary().into();
        if let Some(alert) = self.alerts.raise(self.now, id, severity, summary, limit) {
            self.record(What::Raised(alert.clone()));
            self.emit(Effect::Raise(alert));
        }
    }

    pub(super) fn resolve(&mut self, id: &AlertId) {
        let Some(alert) = self.alerts.resolve(id).map(Box::new) else {
            return;
        };
        self.timers.set(Timer::Alert(Box::new(id.clone())), None);
        self.record(What::Resolved(alert.clone()));
        self.emit(Effect::Resolve(alert));
    }

    /// Resolves the alerts of these kinds about a key.
    pub(super) fn resolve_of(&mut self, key: &IssueKey, kinds: &[AlertKind]) {
        for id in self.alerts.of(key) {
            if kinds.contains(&id.kind) {
                self.resolve(&id);
            }
        }
    }

    /// Sets when a firing alert resolves by itself.
    pub(super) fn expire_alert(&mut self, id: &AlertId, at: Moment) {
        if self.alerts.is_firing(id) {
            self.timers.set(Timer::Alert(Box::new(id.clone())), at);
        }
    }

    /// Ends a step: reports the stop, and requests the next wake-up.
    pub(super) fn finish(&mut self, ticked: bool) {
        if self.stopping && !self.stopped && self.open.is_empty() {
            self.stopped = true;
            self.emit(Effect::Stopped);
        }
        let next = self.timers.next();
        // A tick that came too early is answered with the same time.
        if next != self.woken || (ticked && next != Moment::NEVER) {
            self.woken = next;
            self.emit(Effect::WakeAt(next));
        }
    }

    pub(super) fn fire_timers(&mut self) {
        while let Some(timer) = self.timers.pop_due(self.now.at) {
            match timer {
                Timer::Issue(slot) => {
                    self.at_hand = Some(slot);
                    self.phase_over(slot);
                }
                Timer::Attempt(attempt) => self.attempt_overdue(attempt),
                Timer::Mute(target) => self.end_mute(&target),
                Timer::ComponentBudget(component) => self.wake_all(&WaitFor::Budget(component)),
                Timer::Unspent(slot) => self.unspent(slot),
                Timer::Alert(id) => self.alert_over(&id),
                Timer::Drops => self.report_drops(),
                // The end of the step looks at these.
                Timer::Storm | Timer::GlobalBudget | Timer::Ramp | Timer::EscalationState => {}
            }
        }
    }
}
