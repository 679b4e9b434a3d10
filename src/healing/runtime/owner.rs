//! The owner of the state, and the queue of its effects.

use super::sync::{Kick, Mutex};
use crate::healing::core::{Effect, Event, Notice, Record, ShortText, Snapshot, Stamp, State};
use crate::healing::runtime::call::guarded;

/// The state and its effects since the driver last read them, under one lock, so that effects keep
/// their order. The lock is held for one step, never during a wait.
pub(super) struct Owner {
    core: Mutex<Core>,
    /// Wakes the driver when there are effects.
    pub(super) kick: Kick,
}

struct Core {
    state: State,
    outbox: Vec<Effect>,
}

impl Core {
    /// Makes one step. A panic in it is a bug of this crate: it is contained and reported, and the
    /// state continues without the issue that was being processed.
    ///
    /// # Errors
    /// The panic message.
    fn step(&mut self, stamp: Stamp, event: Event) -> Result<(), ShortText> {
        let Self { state, outbox } = self;
        let step = guarded(|| state.step_into(stamp, event, outbox));
        step.inspect_err(|what| {
            // If this panics as well, the next step continues from there.
            let _ = guarded(|| state.panicked(what, outbox));
        })
    }
}

impl Owner {
    pub(super) fn new(state: State, outbox: Vec<Effect>) -> Self {
        Self {
            core: Mutex::new(Core { state, outbox }),
            kick: Kick::new(),
        }
    }

    /// Passes an event to the core.
    pub(super) fn feed(&self, stamp: Stamp, event: Event) {
        // The core counts and reports a panic.
        let _ = self.work(|core| core.step(stamp, event));
    }

    /// Passes a decision to the core; returns why it was refused, if it was.
    pub(super) fn decide(&self, stamp: Stamp, event: Event) -> Result<(), ShortText> {
        self.work(|core| {
            let before = core.outbox.len();
            core.step(stamp, event)?;
            let mut said = core.outbox.iter().skip(before);
            let refused = said.find_map(|effect| match effect {
                Effect::Notice(Notice::Refused { why }) => Some(why.clone()),
                _ => None,
            });
            refused.map_or(Ok(()), Err)
        })
    }

    /// The current counts. A tick precedes, so that budgets that became available show.
    pub(super) fn snapshot(&self, stamp: Stamp) -> Snapshot {
        self.work(|core| {
            let _ = core.step(stamp, Event::Tick);
            core.state.snapshot()
        })
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.core.lock().state)
    }

    /// Swaps the queued effects for an empty batch.
    pub(super) fn take(&self, batch: &mut Vec<Effect>) {
        std::mem::swap(batch, &mut self.core.lock().outbox);
    }

    /// The queued effects, and then the state as records.
    pub(super) fn carry(&self, stamp: Stamp) -> (Vec<Effect>, Vec<Record>) {
        let mut core = self.core.lock();
        (std::mem::take(&mut core.outbox), core.state.carry(stamp))
    }

    /// Changes the state; then wakes the driver if there are effects.
    fn work<T>(&self, work: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.core.lock();
        let done = work(&mut core);
        let something = !core.outbox.is_empty();
        drop(core);
        if something {
            self.kick.notify_one();
        }
        done
    }

    #[cfg(test)]
    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.core.lock().state);
    }
}
