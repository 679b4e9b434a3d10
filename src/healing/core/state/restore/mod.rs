//! Restoring the state from a journal.
//!
//! Any prefix of a journal restores to a valid state: a record that belongs to a missing one has no
//! effect. Open issues are confirmed again, since earlier observations are old; budgets, waits,
//! blocks, mutes, switches and outcomes continue.

mod replay;
mod resume;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::State;
use super::escalate::alert_of;
use crate::config::HealingPolicy;
use crate::healing::core::{
    Alert, AlertId, AttemptId, Effect, Intent, IssueKey, Moment, OpenState, Record, Stamp, What,
};

/// Clocks are cut to milliseconds between runs: this much less is certain to have passed.
const PRECISION: Duration = Duration::from_millis(1);

struct Replay {
    state: State,
    open: BTreeMap<IssueKey, OpenState>,
    unended: BTreeMap<AttemptId, (Intent, Moment)>,
    alerts: BTreeMap<AlertId, Alert>,
}

impl State {
    /// A new engine that continues from the records, at the time `now` of the new run.
    ///
    /// The effects precede those of the first step. They record each unfinished attempt as
    /// [`Interrupted`](crate::healing::core::AttemptResult::Interrupted), so that this happens only
    /// once; it still counts against the budgets.
    ///
    /// The downtime is computed from the machine's uptime if the boot is the same, regardless of
    /// changes of the wall clock. After a reboot it is computed from the wall clock, and is zero if
    /// that was set back.
    #[must_use]
    pub fn restore(
        policy: Arc<HealingPolicy>,
        seed: u64,
        now: Stamp,
        records: &[Record],
    ) -> (Self, Vec<Effect>) {
        let mut replay = Replay {
            state: Self::new(policy, seed),
            open: BTreeMap::new(),
            unended: BTreeMap::new(),
            alerts: BTreeMap::new(),
        };
        for (record, at) in records.iter().zip(moments(now, records)) {
            replay.state.now = Stamp::new(at, record.stamp.wall);
            replay.state.records = record.seq;
            replay.take(record, at);
        }
        replay.state.now = now;
        replay.finish()
    }

    /// A record with the next sequence number.
    pub(super) fn numbered(&mut self, what: What) -> Record {
        self.records += 1;
        Record {
            seq: self.records,
            stamp: self.now,
            what,
        }
    }
}

/// The time of each record, on the clock of `now`. Counted from the end, so that a clock that once
/// was centuries ahead shifts only the records before that.
fn moments(now: Stamp, records: &[Record]) -> Vec<Moment> {
    let mut anchor = None;
    let mut gaps = Vec::with_capacity(records.len());
    for (ix, record) in records.iter().enumerate() {
        if matches!(record.what, What::Started) || record.stamp.up.is_some() {
            anchor = Some(record.stamp);
        }
        gaps.push(match records.get(ix + 1) {
            Some(next) if !matches!(next.what, What::Started) => next.stamp.at - record.stamp.at,
            next => away(anchor, record.stamp, next.map_or(now, |next| next.stamp)),
        });
    }
    let mut at = now.at;
    let back = gaps.into_iter().rev().map(|gap| {
        at = at.back(gap);
        at
    });
    let mut moments: Vec<_> = back.collect();
    moments.reverse();
    moments
}

/// The time from the last record of a run to the first of the next: from the machine's uptime if
/// `anchor`, a record of the first run, has it, else from the wall clock. Time that the first run
/// slept through counts, as it does between runs.
fn away(anchor: Option<Stamp>, last: Stamp, next: Stamp) -> Duration {
    let up = |anchor: Stamp| anchor.up.map(|up| up.later(last.at - anchor.at));
    let since = |up| next.up.and_then(|next| next.since(up));
    let gone = anchor.and_then(up).and_then(since);
    gone.unwrap_or_else(|| next.wall.since(last.wall))
        .saturating_sub(PRECISION)
}
