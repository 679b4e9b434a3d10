//! Taking up what a journal holds.
//!
//! Whatever prefix of a journal is read, it restores to a valid state: a record that belongs to
//! one that is missing changes nothing. Open issues have to be confirmed anew, since what was
//! seen before the start is old; budgets, waits, blocks, mutes, switches and outcomes go on.

mod replay;
mod resume;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::State;
use super::escalate::alert_of;
use crate::config::HealingPolicy;
use crate::healing::core::{
    Alert, AlertId, AttemptId, Effect, Intent, Issue, IssueKey, Moment, Name, Record, Stamp, What,
};

/// The clocks between two runs are cut to milliseconds: so much less is sure to have passed.
const PRECISION: Duration = Duration::from_millis(1);

/// An issue that was open when the records ended.
struct Reopened {
    issue: Issue,
    engine: Name,
    step: usize,
    used: u32,
    attempts: u32,
    /// Its last attempt said ok, and it is not verified.
    unverified: bool,
}

struct Replay {
    state: State,
    open: BTreeMap<IssueKey, Reopened>,
    unended: BTreeMap<AttemptId, (Intent, Moment)>,
    alerts: BTreeMap<AlertId, Alert>,
}

impl State {
    /// An engine that goes on where the records end, at the time `now` of a new run.
    ///
    /// The effects come before those of the first step. Each attempt without an end becomes
    /// [`Interrupted`](crate::healing::core::AttemptResult::Interrupted) by a record among them, so
    /// that it does so only once; it still counts against the budgets.
    ///
    /// How long the process was away is known from how long the machine has been running, if
    /// that is the same boot; a wall clock that was set meanwhile does not matter then. After a
    /// reboot it is what the wall clock says, and no time where that was set back.
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

    /// A record with the next number.
    pub(super) fn numbered(&mut self, what: What) -> Record {
        self.records += 1;
        Record {
            seq: self.records,
            stamp: self.now,
            what,
        }
    }
}

/// When each record was written, on the clock that shows `now`. Counted from the end, so that a
/// clock that once was centuries ahead moves what came before that alone.
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

/// The time from the last record of a run to the first of the next: by how long the machine has
/// been running if `anchor`, a record of the first run, says so, else by the wall clock. What
/// the first run slept through counts, as it does between runs.
fn away(anchor: Option<Stamp>, last: Stamp, next: Stamp) -> Duration {
    let up = |anchor: Stamp| anchor.up.map(|up| up.later(last.at - anchor.at));
    let since = |up| next.up.and_then(|next| next.since(up));
    let gone = anchor.and_then(up).and_then(since);
    gone.unwrap_or_else(|| next.wall.since(last.wall))
        .saturating_sub(PRECISION)
}
