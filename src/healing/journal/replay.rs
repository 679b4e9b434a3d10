//! Reads the journal of an earlier run: the longest valid prefix, and the damage after it.

use std::fmt;
use std::io::{self, BufRead, Read};

use super::line::{DamageKind, Head, Line, MAX_LINE, parse};
use super::store::Store;
use crate::healing::core::Record;

/// The records of an earlier run.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// Records in the order written, from the head of one file on.
    pub(crate) records: Vec<Record>,
    pub(crate) report: ReplayReport,
    next: u64,
}

impl Replay {
    /// The number of the next file; none is reused.
    pub(crate) fn next_number(&self) -> u64 {
        self.next.max(1)
    }
}

/// The result of reading the journal back.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplayReport {
    /// Number of records read.
    pub records: usize,
    /// Damage found, if any; records before it were used.
    pub damage: Vec<Damage>,
}

/// An unusable place in a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Number of the file.
    pub file: u64,
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// Kind of damage.
    pub kind: DamageKind,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, kind } = self;
        match kind {
            DamageKind::Torn => write!(f, "line {line} of file {file} was cut off"),
            DamageKind::Corrupt => write!(f, "line {line} of file {file} is damaged"),
            DamageKind::Newer => write!(f, "a later version wrote line {line} of file {file}"),
            DamageKind::Gap => write!(f, "records are missing before line {line} of file {file}"),
            DamageKind::Headless => write!(f, "file {file} has no valid head"),
            DamageKind::Unreadable(why) => write!(f, "file {file} cannot be read: {why}"),
        }
    }
}

/// Reads the newest file with a complete head: it repeats the state of all files before it. A file
/// without one was cut off at its beginning, and nothing was done on its basis.
pub(crate) fn replay(store: &dyn Store) -> io::Result<Replay> {
    let mut numbers = store.list()?;
    numbers.sort_unstable();
    let mut replay = Replay {
        next: numbers.last().map_or(1, |last| last.saturating_add(1)),
        ..Replay::default()
    };
    for number in numbers.into_iter().rev() {
        let (file, damage) = read_file(store, number);
        replay.report.damage.extend(damage);
        if let Some(records) = file {
            replay.report.records = records.len();
            replay.records = records;
            break;
        }
    }
    Ok(replay)
}

/// The records of one file, none if its head is incomplete, and its damage.
fn read_file(store: &dyn Store, number: u64) -> (Option<Vec<Record>>, Option<Damage>) {
    let mut damage = None;
    let mut spoil = |line, kind| {
        damage = Some(Damage {
            file: number,
            line,
            kind,
        });
    };
    let mut head: Option<Head> = None;
    let mut records: Vec<Record> = Vec::new();
    let read = each_line(store, number, |at, line| {
        let kind = match (line, head) {
            (Ok(Line::Head(found)), None) => {
                head = Some(found);
                return true;
            }
            (Ok(Line::Record(record)), Some(_)) if follows(&records, &record) => {
                records.push(*record);
                return true;
            }
            (Ok(Line::Record(_)), Some(_)) => DamageKind::Gap,
            (Ok(_), _) => DamageKind::Corrupt,
            (Err(kind), _) => kind,
        };
        spoil(at, kind);
        false
    });
    if let Err(error) = read {
        spoil(0, DamageKind::Unreadable(error.kind()));
    }
    let whole = head.is_some_and(|head| records.len() >= head.carried);
    if !whole && damage.is_none() {
        damage = Some(Damage {
            file: number,
            line: 0,
            kind: DamageKind::Headless,
        });
    }
    (whole.then_some(records), damage)
}

fn follows(records: &[Record], next: &Record) -> bool {
    records
        .last()
        .is_none_or(|last| next.seq == last.seq.saturating_add(1))
}

/// Calls `each` with the number of each line, from 1, and its content, until it returns false.
pub(super) fn each_line(
    store: &dyn Store,
    number: u64,
    mut each: impl FnMut(usize, Result<Line, DamageKind>) -> bool,
) -> io::Result<()> {
    let mut file = store.read(number)?;
    let mut line = Vec::new();
    for at in 1.. {
        line.clear();
        // A corrupt file may have no line feed at all.
        let read = (&mut file)
            .take(MAX_LINE as u64)
            .read_until(b'\n', &mut line)?;
        let found = match parse(&line) {
            _ if read == 0 => return Ok(()),
            Err(DamageKind::Torn) if read == MAX_LINE => Err(DamageKind::Corrupt),
            found => found,
        };
        if !each(at, found) {
            return Ok(());
        }
    }
    Ok(())
}
