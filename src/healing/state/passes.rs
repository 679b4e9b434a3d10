//! Passes of detectors: what each found, and what it did not find.

use super::State;
use super::engines::{EngineIx, Telling};
use super::observe::Source;
use super::slab::SlotId;
use crate::healing::{
    AlertId, AlertKind, Dropped, Effect, IssueKey, Moment, Name, Observation, Severity, Text,
};

/// So many passes in a row that failed, and a detector counts as blind.
const BLIND_AFTER: u32 = 3;

/// What stands for the issue type in the key of an alert about a detector.
const DETECTOR: &str = "detector";

impl State {
    /// A whole pass, or the last part of one.
    pub(super) fn detected(&mut self, name: &Name, began: Moment, found: Vec<Observation>) {
        let Some(telling) = self.detected_part(name, began, found) else {
            return;
        };
        if let Some(ix) = self.engines.find(name) {
            self.stop_telling(ix);
            // A pass that was too long to be told says nothing about what it did not name.
            if telling.whole {
                self.not_found(ix, telling.number, telling.began);
            }
        }
    }

    /// A part of a pass; gives which, if what it found counts as more than hints.
    pub(super) fn detected_part(
        &mut self,
        name: &Name,
        began: Moment,
        mut found: Vec<Observation>,
    ) -> Option<Telling> {
        let limit = self.policy.limits.engines;
        let Some(ix) = self.engines.intern(name, limit) else {
            for observation in found {
                self.no_such_engine(observation);
            }
            return None;
        };
        let telling = self.tells(ix, began.min(self.now.at));
        let source = telling.map_or(Source::Hint, |pass| Source::Pass {
            number: pass.number,
            began: pass.began,
        });
        // Worst first, and in an order that does not depend on how they were found.
        found.sort_unstable_by(|a, b| b.cmp(a));
        for observation in found {
            self.observe(ix, observation, source);
        }
        telling
    }

    /// The pass that a part belongs to: the one that is being told, or a new one. None for a pass
    /// that is told twice, or is older than one that was told: what it found counts as hints.
    fn tells(&mut self, ix: EngineIx, began: Moment) -> Option<Telling> {
        let engine = self.engines.get_mut(ix)?;
        if let Some(telling) = engine.telling.filter(|telling| telling.began == began) {
            return Some(telling);
        }
        if engine.asked.is_some_and(|asked| asked <= began) {
            engine.asked = None;
        }
        let fresh = engine.last_pass.is_none_or(|last| began > last);
        let telling = fresh.then(|| {
            engine.last_pass = Some(began);
            engine.passes += 1;
            Telling {
                began,
                number: engine.passes,
                whole: true,
            }
        });
        self.sees_again(ix);
        if telling.is_some() {
            // One that was begun before and not told to its end never will be.
            self.stop_telling(ix);
            if let Some(engine) = self.engines.get_mut(ix).filter(|engine| !engine.removed) {
                engine.telling = telling;
                self.telling += 1;
            }
        }
        telling
    }

    /// The pass that is being told has come to its end, or never will.
    pub(super) fn stop_telling(&mut self, ix: EngineIx) {
        let told = self.engines.get_mut(ix).and_then(|one| one.telling.take());
        self.telling -= usize::from(told.is_some());
    }

    /// Observations of the pass that is being told, too many to be told.
    pub(super) fn left_out(&mut self, name: &Name, key: IssueKey, count: u64) {
        let engine = self
            .engines
            .find(name)
            .and_then(|ix| self.engines.get_mut(ix));
        if let Some(telling) = engine.and_then(|engine| engine.telling.as_mut()) {
            telling.whole = false;
        }
        let reason = if self.stopping {
            Dropped::Shutdown
        } else {
            Dropped::Full
        };
        self.tally.observations.total += count;
        self.dropped(reason, key, count);
    }

    /// What a pass did not find is good, unless it was seen since the pass began.
    fn not_found(&mut self, ix: EngineIx, number: u64, began: Moment) {
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        let mut good_again = Vec::new();
        let clear = self.policy.clear;
        engine.watched.retain(|key, good| {
            *good += 1;
            if *good >= clear {
                good_again.push(key.clone());
            }
            *good < clear
        });
        let open: Vec<SlotId> = engine.open.iter().copied().collect();
        for key in good_again {
            // Another engine may see the fault by now.
            if !self.keys.contains_key(&key) {
                self.unblock_after_health(&key);
            }
        }
        for slot in open {
            let entry = self.open.get(slot);
            if entry.is_some_and(|e| e.seen_pass != number && began >= e.issue.last_seen.at) {
                self.passed(slot, began, false);
            }
        }
    }

    pub(super) fn detect_failed(&mut self, name: &Name, began: Moment) {
        let Some(ix) = self.engines.find(name) else {
            return;
        };
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        if engine.asked.is_some_and(|asked| asked <= began) {
            engine.asked = None;
        }
        engine.blind = engine.blind.saturating_add(1);
        let blind = engine.blind == BLIND_AFTER && !engine.removed;
        self.stop_telling(ix);
        if blind {
            let id = AlertId::of(&IssueKey::new(name.clone(), DETECTOR), AlertKind::Blind);
            self.raise(id, Severity::Error, || {
                Text::new(&format!(
                    "{name}: its detector fails again and again; its faults are not seen"
                ))
            });
        }
    }

    /// A pass of an engine ended well, or its passes no longer matter.
    pub(super) fn sees_again(&mut self, ix: EngineIx) {
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        if std::mem::take(&mut engine.blind) >= BLIND_AFTER {
            let key = IssueKey::new(engine.name.clone(), DETECTOR);
            self.resolve(&AlertId::of(&key, AlertKind::Blind));
        }
    }

    /// Has an engine look again; unless forced, once until it did.
    pub(super) fn ask_to_detect(&mut self, ix: EngineIx, force: bool) {
        if self.stopping {
            return;
        }
        let now = self.now.at;
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        // One that was asked at this very moment has not looked yet.
        let asked = engine.asked.is_some_and(|asked| !force || asked == now);
        if engine.removed || asked {
            return;
        }
        engine.asked = Some(now);
        let engine = engine.name.clone();
        self.emit(Effect::Detect { engine });
    }
}
