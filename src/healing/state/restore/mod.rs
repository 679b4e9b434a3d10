//! Taking up what a journal tells.
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
use crate::healing::{
    Alert, AlertId, AttemptId, Effect, Intent, Issue, IssueKey, Moment, Name, Record, Stamp, What,
};

/// The wall clock of a record is cut to milliseconds: so much less is sure to have passed.
const WALL_PRECISION: Duration = Duration::from_millis(1);

/// An issue that was open when the records ended.
struct Reopened {
    issue: Issue,
    engine: Name,
    step: usize,
    used: u32,
    attempts: u32,
    /// Its last attempt said ok, and nobody has looked.
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
    /// [`Interrupted`](crate::healing::AttemptResult::Interrupted) by a record among them, so that it does so only once; it
    /// still counts against the budgets. How long the process was away is told by the wall
    /// clock; if that was set back, no time has passed.
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
        let mut at = now.at.back(age(now, records));
        let mut last: Option<&Record> = None;
        for record in records {
            if let Some(last) = last {
                at = at + between(last, record);
            }
            last = Some(record);
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

/// The time between two records: by the monotonic clock within a run, else by the wall clock.
fn between(one: &Record, next: &Record) -> Duration {
    if matches!(next.what, What::Started) {
        let gone = next.stamp.wall.since(one.stamp.wall);
        gone.saturating_sub(WALL_PRECISION)
    } else {
        next.stamp.at - one.stamp.at
    }
}

/// How long ago the first record was written.
fn age(now: Stamp, records: &[Record]) -> Duration {
    let written = records.windows(2).map(|pair| match pair {
        [one, next] => between(one, next),
        _ => Duration::ZERO,
    });
    let written = written.fold(Duration::ZERO, Duration::saturating_add);
    let gone = records
        .last()
        .map(|last| now.wall.since(last.stamp.wall))
        .unwrap_or_default();
    written.saturating_add(gone.saturating_sub(WALL_PRECISION))
}
