//! Detection runs: the faults they found, and those they no longer found.

use super::State;
use super::engines::EngineIx;
use super::observe::{Offer, Source};
use super::slab::SlotId;
use crate::healing::core::{
    AlertId, AlertKind, Effect, IssueKey, Moment, Name, Observation, Severity, ShortText, Unknown,
};

/// Consecutive failed detection runs after which a detector counts as blind.
const BLIND_AFTER: u32 = 3;

/// The issue type in the key of an alert about a detector.
const DETECTOR: &str = "detector";

impl State {
    /// Takes in the end of a detection run.
    pub(super) fn detected(
        &mut self,
        name: &Name,
        began: Moment,
        mut found: Vec<(Observation, Offer)>,
        left_out: Option<(IssueKey, u64)>,
        unknown: Unknown,
    ) {
        let limit = self.policy.limits.engines;
        let ix = self.engines.intern(name, limit);
        let run = ix.and_then(|ix| self.run_ended(ix, began.min(self.now.at)));
        // A run that is known already, or is older than a known one, yields hints only.
        let source = run.map_or(Source::Hint, |(number, began)| Source::Run {
            number,
            began,
        });
        let whole = left_out.is_none() && !unknown.has_more();
        // Before the observations, which count instead.
        if let (Some(ix), Some(_)) = (ix, run) {
            self.not_determined(ix, unknown);
        }
        // Worst first, in an order independent of how they were found.
        found.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
        for (observation, plan) in found {
            match ix {
                Some(ix) => self.observe(ix, observation, plan, source),
                None => self.not_taken(observation.key, 1),
            }
        }
        if let Some((key, count)) = left_out {
            self.not_taken(key, count);
        }
        // An incomplete run does not show that an issue is gone.
        if let (Some(ix), Some((number, began)), true) = (ix, run, whole) {
            self.not_found(ix, number, began);
        }
    }

    /// The number of a run and when it began; none for a duplicate, or a run older than the last
    /// reported one.
    fn run_ended(&mut self, ix: EngineIx, began: Moment) -> Option<(u64, Moment)> {
        let engine = self.engines.get_mut(ix)?;
        if engine.asked.is_some_and(|asked| asked <= began) {
            engine.asked = None;
        }
        let fresh = engine.last_run.is_none_or(|last| began > last);
        let run = fresh.then(|| {
            engine.last_run = Some(began);
            engine.runs += 1;
            (engine.runs, began)
        });
        self.sees_again(ix);
        run
    }

    /// Notes the keys whose state a run could not determine.
    fn not_determined(&mut self, ix: EngineIx, unknown: Unknown) {
        let engine = self.engines.get_mut(ix);
        if let Some(engine) = engine.filter(|engine| !engine.removed) {
            engine.unknown.replace(unknown);
        }
    }

    /// Marks keys that a run did not find as good, unless seen since it began or not determined.
    fn not_found(&mut self, ix: EngineIx, number: u64, began: Moment) {
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        let mut good_again = Vec::new();
        let clear = self.policy.clear;
        engine.watched.retain(|key, good| {
            if engine.unknown.get(key).is_some() {
                return true;
            }
            *good += 1;
            if *good >= clear {
                good_again.push(key.clone());
            }
            *good < clear
        });
        let known = |slot: &SlotId| {
            let entry = self.open.get(*slot);
            entry.is_some_and(|entry| engine.unknown.get(&entry.issue.key).is_none())
        };
        let open: Vec<SlotId> = engine.open.iter().copied().filter(known).collect();
        for key in good_again {
            // Another engine may see the fault meanwhile.
            if !self.keys.contains_key(&key) {
                self.unblock_after_health(&key);
            }
        }
        for slot in open {
            let entry = self.open.get(slot);
            if entry.is_some_and(|e| e.seen_run != number && began >= e.issue.last_seen.at) {
                self.seen_in_run(slot, began, false);
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
        if blind {
            let id = AlertId::of(&IssueKey::new(name.clone(), DETECTOR), AlertKind::Blind);
            self.raise(id, Severity::Error, || {
                ShortText::new(&format!(
                    "{name}: its detector fails again and again; its faults are not found"
                ))
            });
        }
    }

    /// Ends blindness: a detection run ended well, or its runs no longer matter.
    pub(super) fn sees_again(&mut self, ix: EngineIx) {
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        if std::mem::take(&mut engine.blind) >= BLIND_AFTER {
            let key = IssueKey::new(engine.name.clone(), DETECTOR);
            self.resolve(&AlertId::of(&key, AlertKind::Blind));
        }
    }

    /// Requests a detection run; unless forced, only once until it ends.
    pub(super) fn ask_to_detect(&mut self, ix: EngineIx, force: bool) {
        if self.stopping {
            return;
        }
        let now = self.now.at;
        let Some(engine) = self.engines.get_mut(ix) else {
            return;
        };
        // One requested at this moment has not run yet.
        let asked = engine.asked.is_some_and(|asked| !force || asked == now);
        if engine.removed || asked {
            return;
        }
        engine.asked = Some(now);
        let engine = engine.name.clone();
        self.emit(Effect::Detect { engine });
    }
}
