//! The state machine: a pure function from events to effects.
//!
//! # Phases
//!
//! | in | when | then |
//! |---|---|---|
//! | – | an observation of a key that is not open | *confirming*, with the plan that came with it; `Detect` after a hint |
//! | – | … of a muted key | counted as muted |
//! | – | … when a limit is reached and nothing milder can give way | counted as dropped |
//! | confirming | N of the last M detection runs found it, and there is a plan | *pending*; *backoff* if the key's last wait is not over; *parked* if the key is blocked or flaps |
//! | confirming | M detection runs were made, and too few found it | closed `self_resolved` |
//! | pending | nothing holds it back | *running*; the intent is recorded, then `Start` |
//! | pending | its mode is dry-run | *parked*, what would be done is recorded, and an alert |
//! | pending, backoff | its plan only reports | *parked*, and an alert |
//! | pending | its mode is approval, or the confidence is too low | *approval*, and an alert |
//! | pending | it took too many attempts in a window | *parked*, the key is blocked |
//! | approval | approved | *pending* |
//! | approval | denied, or no one answers in time | *parked*; an alert where no one answered |
//! | running | the attempt returns ok | *verifying*; `Verify` |
//! | running | it fails, panics, or takes longer than timeout and grace | the attempt counts; *awaiting rollback* if the step asks for it; else *backoff*, or the next step |
//! | running | it was cancelled, or is stale | *backoff*; the attempt does not count |
//! | verifying | a verification on data newer than the attempt's end is good | *settling* |
//! | verifying, settling | a verification or a detection run finds the fault, or too many verifications give no verdict | the attempt counts; *awaiting rollback*, *backoff*, or the next step |
//! | awaiting rollback | nothing holds everything back | *running*; the intent is recorded, then `Start` |
//! | awaiting rollback | it waits longer than the policy's patience | the rollback is skipped; *backoff*, or the next step |
//! | running | the rollback ends, with any result | *backoff*, or the next step |
//! | settling | a verification after the settling time is good | closed `healed` |
//! | any of these | all steps were tried | *parked*, the key is blocked, an alert |
//! | backoff | the drawn wait is over | *pending* |
//! | confirming, pending | it waits longer than the policy's patience | *parked*, and an alert |
//! | pending, backoff, approval, parked | `clear` consecutive detection runs do not find it | closed `self_resolved` |
//! | any | a detection run does not find it, and could not determine its state | unchanged; neither run counts nor ends a count |
//! | parked, its key blocked | `retry_every` is over, and a step is reversible and runs | *pending*, for one attempt; *parked* again if it does not heal |
//! | parked | acknowledged | *pending*, with all steps before it |
//! | any but running, verifying, settling, awaiting rollback | a more severe one needs its place | closed `superseded` |
//! | any | it gets worse | a new generation and a new plan; a pending approval is void |
//! | any | its engine is removed | closed `superseded`, once nothing of it runs |
//! | any | shutdown | closed `shutdown`, once nothing of it runs |
//!
//! # Service escalation
//!
//! While healing has given up on an issue (`exhausted`, `flapping`, `intensity`), also during
//! retries of reversible steps, and while too many attempts hang, the policy's
//! [`escalation`](crate::config::Escalation) may go further: after a time the service is not ready,
//! after a longer one the process is asked to exit. Both wait for the end of a shutdown, kill
//! switch, pause, storm, dry-run or mute; the exit also for a writable journal, and for its own
//! budget. Once the issue closes or is acknowledged, the service is ready.
//!
//! # What holds a pending issue back
//!
//! In this order, all of it shown by [`State::explain`]: shutdown, kill switch, pause, storm,
//! zombies, concurrency; then a missing plan, mute, a parent that is healed first, the journal,
//! mode, confidence, intensity, the component's budget, the global budget, the lock. Both budgets
//! reserve a share for each higher severity, the global one also for components that have spent
//! nothing.
//!
//! # Performance
//!
//! No step iterates over all open issues. Timers are an ordered set; issues that may start are in
//! an ordered queue; waiting issues are in the queue of what they wait for, and are woken when that
//! changes. Ageing is a head start fixed when an issue is queued, so the order is never recomputed.

mod alerts;
mod attempts;
mod backoff;
mod carry;
mod close;
mod components;
mod confirm;
mod control;
mod decide;
mod detections;
mod engines;
mod entry;
mod escalate;
mod escalations;
mod explain;
mod giving_up;
mod heal;
mod map;
mod members;
mod memory;
mod modes;
mod moves;
mod mutes;
mod next;
mod observe;
mod panicked;
mod queue;
mod ramp;
mod remember;
mod restore;
mod samples;
mod signals;
mod slab;
mod snapshot;
mod spent;
mod storm;
mod timers;
mod verify;
mod window;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use snapshot::Snapshot;

use self::alerts::Alerts;
use self::attempts::Attempts;
use self::components::Components;
use self::engines::Engines;
use self::entry::Entry;
use self::escalations::Escalations;
use self::map::Map;
use self::memory::Memories;
use self::mutes::Mutes;
use self::queue::Queue;
use self::ramp::Ramp;
use self::slab::{Slab, SlotId};
use self::spent::Spent;
use self::storm::StormGuard;
use self::timers::Timers;
use super::tally::{ActionLabels, Series, Tally};
use super::{Dropped, Effect, Event, IssueKey, Moment, Name, Outcomes, Stamp};
use crate::config::HealingPolicy;

/// The engine's state, changed only by [`step`](Self::step).
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent switches in all combinations"
)]
pub struct State {
    policy: Arc<HealingPolicy>,
    seed: u64,
    now: Stamp,
    out: Vec<Effect>,

    open: Slab<Entry>,
    keys: Map<IssueKey, SlotId>,
    queue: Queue,
    undo: BTreeSet<SlotId>,
    timers: Timers,

    engines: Engines,
    components: Components,
    attempts: Attempts,
    spent: Spent,
    memories: Memories,
    outcomes: Series<ActionLabels, Outcomes>,
    mutes: Mutes,
    remembered: BTreeMap<Name, serde_json::Value>,
    alerts: Alerts,
    escalations: Escalations,
    /// When the process was asked to exit.
    exits: Vec<Moment>,
    storm: StormGuard,
    ramp: Ramp,

    exit_asked: bool,
    paused: bool,
    killed: bool,
    journal_down: bool,
    stopping: bool,
    stopped: bool,

    records: u64,
    tickets: u64,
    generations: u64,
    attempt_ids: u64,
    woken: Moment,
    /// Dropped observations that are not reported yet: the key of the last, and their number.
    drops: BTreeMap<Dropped, (IssueKey, u64)>,
    tally: Tally,
    /// The issue being processed: parked if the step panics.
    at_hand: Option<SlotId>,
    /// Starting an attempt for this key panics.
    #[cfg(test)]
    trap: Option<IssueKey>,
}

impl State {
    /// A new engine. The seed selects the random waits; the same seed and the same events give the
    /// same effects.
    ///
    /// The policy is used as is; the caller [validates](HealingPolicy::validate) it.
    #[must_use]
    pub fn new(policy: Arc<HealingPolicy>, seed: u64) -> Self {
        Self {
            policy,
            seed,
            now: Stamp::default(),
            out: Vec::new(),
            open: Slab::default(),
            keys: Map::default(),
            queue: Queue::default(),
            undo: BTreeSet::new(),
            timers: Timers::default(),
            engines: Engines::default(),
            components: Components::default(),
            attempts: Attempts::default(),
            spent: Spent::default(),
            memories: Memories::default(),
            outcomes: Series::default(),
            mutes: Mutes::default(),
            remembered: BTreeMap::new(),
            alerts: Alerts::default(),
            escalations: Escalations::default(),
            exits: Vec::new(),
            storm: StormGuard::default(),
            ramp: Ramp::default(),
            exit_asked: false,
            paused: false,
            killed: false,
            journal_down: false,
            stopping: false,
            stopped: false,
            records: 0,
            tickets: 0,
            generations: 0,
            attempt_ids: 0,
            woken: Moment::NEVER,
            drops: BTreeMap::new(),
            tally: Tally::default(),
            at_hand: None,
            #[cfg(test)]
            trap: None,
        }
    }

    /// Processes an event, and returns the effects in order.
    ///
    /// A time before that of an earlier step counts as that earlier time.
    #[must_use]
    pub fn step(&mut self, now: Stamp, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.step_into(now, event, &mut effects);
        effects
    }

    /// Like [`step`](Self::step), appending to a reusable buffer.
    ///
    /// It does not panic. If it does nevertheless, call [`panicked`](Self::panicked) to continue.
    pub fn step_into(&mut self, now: Stamp, event: Event, effects: &mut Vec<Effect>) {
        self.now = Stamp::new(self.now.at.max(now.at), now.wall);
        let ticked = matches!(event, Event::Tick);
        self.fire_timers();
        self.handle(event);
        // The event may have set timers that are due already, such as a mute of no length.
        self.fire_timers();
        self.forget_idle_components();
        self.weigh_storm();
        self.escalate();
        self.pump();
        self.finish(ticked);
        self.at_hand = None;
        effects.append(&mut self.out);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Tick => {}
            Event::EngineAdded { engine, components } => self.engine_added(&engine, &components),
            Event::EngineRemoved { engine } => self.engine_removed(&engine),
            Event::DependsOn { component, parent } => self.depends_on(&component, &parent),
            Event::Observed {
                engine,
                observation,
                plan,
            } => self.observed(&engine, observation, plan),
            Event::Detected {
                engine,
                began,
                observations,
                left_out,
                unknown,
            } => self.detected(&engine, began, observations, left_out, unknown),
            Event::DetectFailed { engine, began } => self.detect_failed(&engine, began),
            Event::Ended {
                attempt,
                result,
                message,
                hopeless,
            } => self.ended(attempt, result, message, hopeless),
            Event::Judged {
                ticket,
                data_from,
                verdict,
            } => self.judged(ticket, data_from, verdict),
            Event::Control { control, by } => self.control(control, by),
            Event::Journal { healthy } => self.journal(healthy),
            Event::Remember { name, value } => self.remember_value(name, value),
            Event::Reload(policy) => self.reload(policy),
            Event::Shutdown => self.shut_down(),
        }
    }
}
