//! The state machine: one pure function from what happened to what is to be done.
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
//! | running | the attempt says ok | *verifying*; `Verify` |
//! | running | it fails, panics, or takes longer than timeout and grace | the attempt counts; *awaiting rollback* if the step says so; else *backoff*, or the next step |
//! | running | it was called off, or is stale | *backoff*; the attempt does not count |
//! | verifying | a verification on data newer than the attempt's end is good | *settling* |
//! | verifying, settling | a verification or a detection run finds the fault, or too many verifications give no verdict | the attempt counts; *awaiting rollback*, *backoff*, or the next step |
//! | awaiting rollback | nothing holds everything back | *running*; the intent is recorded, then `Start` |
//! | awaiting rollback | it waits longer than the policy's patience | the rollback is left out; *backoff*, or the next step |
//! | running | the rollback ends, however it does | *backoff*, or the next step |
//! | settling | a verification after the settling time is good | closed `healed` |
//! | any of these | all steps were tried | *parked*, the key is blocked, an alert |
//! | backoff | the time that was drawn is over | *pending* |
//! | confirming, pending | it waits longer than the policy's patience | *parked*, and an alert |
//! | pending, backoff, approval, parked | so many detection runs in a row do not find it | closed `self_resolved` |
//! | parked, its key blocked | `retry_every` is over, and a step is reversible and runs | *pending*, for one attempt; *parked* again if it does not heal |
//! | parked | acknowledged | *pending*, with all steps before it |
//! | any but running, verifying, settling, awaiting rollback | a more severe one needs its place | closed `superseded` |
//! | any | it gets worse | a new generation and a new plan; a pending approval is void |
//! | any | its engine is removed | closed `superseded`, once nothing of it runs |
//! | any | shutdown | closed `shutdown`, once nothing of it runs |
//!
//! # What follows an alert
//!
//! While healing has given up on an issue (`exhausted`, `flapping`, `intensity`), also while what
//! is reversible is tried again, and while too many attempts hang, the policy's
//! [`escalation`](crate::config::Escalation) may take it further: after a time the service is not
//! ready, after a longer one the process is asked to end. Both wait for the end of a shutdown, kill
//! switch, pause, storm, dry-run or mute; the end of the process also for a journal that can be
//! written, and for its own budget. The way back is the issue's: once it closes or is acknowledged,
//! the service is ready.
//!
//! # What holds a pending issue back
//!
//! In this order, and [`State::explain`] shows all of it: shutdown, kill switch, pause, storm,
//! zombies, concurrency; then a missing plan, mute, a parent that is healed first, the journal,
//! mode, confidence, intensity, the component's budget, the global budget, the lock. Of both
//! budgets a share is kept for each higher severity, of the global one also for components that
//! have spent nothing.
//!
//! # How it stays fast
//!
//! Nothing goes through all open issues. What is due at a time is in an ordered set of timers;
//! what may start is in an ordered line; what waits is in the line of what it waits for, and is
//! woken when that changes. Ageing is a head start that is fixed when an issue gets in line, so
//! that the order never has to be computed anew.

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
mod drops;
mod engines;
mod entry;
mod escalate;
mod escalations;
mod explain;
mod giving_up;
mod heal;
mod map;
mod memory;
mod moves;
mod mutes;
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
use self::drops::Drops;
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
use self::window::Window;
use super::tally::{ActionLabels, Series, Tally};
use super::{Effect, Event, IssueKey, Moment, Name, Outcomes, Stamp, Ticket};
use crate::config::HealingPolicy;

/// What the engine knows. It changes by [`step`](Self::step) alone.
#[derive(Debug, Clone)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, and all combinations occur"
)]
pub struct State {
    policy: Arc<HealingPolicy>,
    seed: u64,
    now: Stamp,
    out: Vec<Effect>,

    open: Slab<Entry>,
    keys: Map<IssueKey, SlotId>,
    asked: Map<Ticket, SlotId>,
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
    exits: Window,
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
    budget_timer: Option<Moment>,
    storm_timer: Option<Moment>,
    ramp_timer: Option<Moment>,
    escalation_timer: Option<Moment>,
    drops: Drops,
    tally: Tally,
    /// The issue at hand: should the step panic, it is this one that is set aside.
    at_hand: Option<SlotId>,
    /// Starting an attempt for this key panics.
    #[cfg(test)]
    trap: Option<IssueKey>,
}

impl State {
    /// An engine that has seen nothing yet. The seed picks the random waits; the same seed and
    /// the same events give the same effects.
    ///
    /// The policy is taken as it is; whoever loads it [validates](HealingPolicy::validate) it.
    #[must_use]
    pub fn new(policy: Arc<HealingPolicy>, seed: u64) -> Self {
        Self {
            policy,
            seed,
            now: Stamp::default(),
            out: Vec::new(),
            open: Slab::default(),
            keys: Map::default(),
            asked: Map::default(),
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
            exits: Window::default(),
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
            budget_timer: None,
            storm_timer: None,
            ramp_timer: None,
            escalation_timer: None,
            drops: Drops::default(),
            tally: Tally::default(),
            at_hand: None,
            #[cfg(test)]
            trap: None,
        }
    }

    /// Takes in what happened, and says what is to be done, in this order.
    ///
    /// A time before that of an earlier step counts as that earlier time.
    #[must_use]
    pub fn step(&mut self, now: Stamp, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.step_into(now, event, &mut effects);
        effects
    }

    /// As [`step`](Self::step), appending to a buffer that can be used again and again.
    ///
    /// It does not panic. Should it do so nevertheless, [`panicked`](Self::panicked) has the state
    /// go on from there.
    pub fn step_into(&mut self, now: Stamp, event: Event, effects: &mut Vec<Effect>) {
        self.now = Stamp::new(self.now.at.max(now.at), now.wall);
        let ticked = matches!(event, Event::Tick);
        self.fire_timers();
        self.handle(event);
        // What the event set may be due already, such as a mute that lasts no time.
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
            } => self.detected(&engine, began, observations, left_out),
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
