//! Condenses the records of the healing engine into one note per fault, from detection to end.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::healing::core::{AlertId, Stamp};
use crate::healing::{Alert, AttemptResult, Closed, IssueKey, Phase, Record, What};
use crate::health::{Note, Status};
use crate::util::{lasting, plain};

/// A fault, as far as the records show it.
struct Story {
    key: IssueKey,
    at: SystemTime,
    /// The last action and its result.
    done: String,
    end: Option<(String, Status)>,
    lasted: Option<Duration>,
}

/// Returns the notes on the faults in `records`, which are ordered by time; the last changed comes
/// first.
pub(super) fn fold(records: &[Arc<Record>]) -> Vec<Note> {
    let mut stories: Vec<Story> = Vec::new();
    for record in records {
        let Some(key) = key(&record.what) else {
            continue;
        };
        // Only the last story of a key may continue.
        let known = stories.iter().rposition(|story| story.key == *key);
        let goes_on = known.filter(|place| {
            !matches!(record.what, What::Opened { .. }) && stories[*place].lasted.is_none()
        });
        let mut story = match goes_on {
            Some(place) => stories.remove(place),
            None => Story {
                key: key.clone(),
                at: wall(record.stamp),
                done: String::new(),
                end: None,
                lasted: None,
            },
        };
        story.at = wall(record.stamp);
        story.add(&record.what);
        stories.push(story);
    }
    stories.into_iter().rev().map(Story::note).collect()
}

/// The key of a record that is relevant for operators.
pub(super) fn key(what: &What) -> Option<&IssueKey> {
    match what {
        What::Opened { issue, .. } => Some(&issue.key),
        What::Moved {
            key,
            to: Phase::Parked,
            ..
        }
        | What::WouldRun { key, .. }
        | What::AttemptFinished { key, .. }
        | What::Escalated {
            id: AlertId { key: Some(key), .. },
            ..
        }
        | What::Closed { key, .. } => Some(key),
        _ => None,
    }
}

impl Story {
    fn add(&mut self, what: &What) {
        match what {
            What::Moved { reason, .. } => {
                let why = reason.map_or("waits for a person", |reason| reason.as_str());
                let text = format!("left to a person ({})", plain(why));
                self.end = Some((text, Status::Down));
            }
            What::WouldRun { action, .. } => {
                self.done = format!("{} would run", plain(action.as_str()));
            }
            What::AttemptFinished {
                action,
                result,
                took,
                message,
                ..
            } => {
                let (action, took) = (plain(action.as_str()), lasting(*took));
                self.done = match result {
                    AttemptResult::Ok => format!("{action} took {took}"),
                    result => format!("{action} {} after {took}", result.as_str()),
                };
                if *result != AttemptResult::Ok && !message.as_str().is_empty() {
                    // Writing to a String cannot fail.
                    let _ = write!(self.done, " ({message})");
                }
                self.end = None;
            }
            What::Escalated { why, .. } => {
                self.end = Some((why.as_str().to_owned(), Status::Down));
            }
            What::Closed {
                outcome, open_for, ..
            } => {
                self.end = Some(end(*outcome));
                self.lasted = Some(*open_for);
            }
            _ => {}
        }
    }

    fn note(self) -> Note {
        let mut text = words(self.key.issue_type.as_str());
        let (end, status) = self
            .end
            .unwrap_or_else(|| ("still open".to_owned(), Status::Degraded));
        if !self.done.is_empty() {
            let _ = write!(text, ": {}", self.done);
        }
        let _ = write!(text, ", {end}");
        let detail = self.lasted.map(lasting).unwrap_or_default();
        Note::new(self.at, self.key.component.as_str(), text)
            .status(status)
            .detail(detail)
            .key(self.key.to_string())
    }
}

/// The summary of an alert, with the kind of its fault in words if it starts with the key.
pub(super) fn summary(alert: &Alert, key: &IssueKey) -> String {
    let summary = alert.summary.as_str();
    match summary.strip_prefix(&key.to_string()) {
        Some(rest) => format!("{}{rest}", words(key.issue_type.as_str())),
        None => summary.to_owned(),
    }
}

/// The outcome of a fault.
fn end(outcome: Closed) -> (String, Status) {
    let (text, status) = match outcome {
        Closed::Healed => ("healed", Status::Up),
        Closed::SelfResolved => ("gone by itself", Status::Up),
        Closed::Superseded => ("replaced by another or no longer watched", Status::Unknown),
        Closed::Shutdown => ("left for the next start", Status::Unknown),
        Closed::Exhausted => ("gone by itself after all steps were tried", Status::Up),
    };
    (text.to_owned(), status)
}

/// An identifier as words: `file_corrupt` as `File corrupt`.
pub(super) fn words(name: &str) -> String {
    let mut text = plain(name);
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

pub(super) fn wall(stamp: Stamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(stamp.wall.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(lines: &[&str]) -> Vec<Arc<Record>> {
        let read = |line: &&str| Arc::new(serde_json::from_str(line).unwrap());
        lines.iter().map(read).collect()
    }

    fn folded(lines: &[&str]) -> Vec<(String, String, Status, String)> {
        let notes = fold(&records(lines)).into_iter();
        notes
            .map(|note| (note.key, note.text, note.status, note.detail))
            .collect()
    }

    const KEY: &str = r#""key":{"component":"config","issue_type":"file_corrupt"}"#;

    fn line(what: &str) -> String {
        let what = what.replace("KEY", KEY);
        format!(r#"{{"seq":1,"stamp":{{"at":0,"wall":0}},"what":{what}}}"#)
    }

    #[test]
    fn a_fault_is_one_note_from_its_detection_to_its_end() {
        let opened = line(
            r#"{"opened":{"issue":{KEY,"severity":"error","confidence":{"value":0.5,"n":1},
            "evidence":[],"generation":1,"first_seen":{"at":0,"wall":0},
            "last_seen":{"at":0,"wall":0},"count":1},"engine":"files"}}"#,
        );
        let attempt = |result: &str| {
            line(&format!(
                r#"{{"attempt_finished":{{"attempt":1,"work":"heal",KEY,"action":"put_back",
                "result":"{result}","took":0.004,"message":"no space"}}}}"#
            ))
        };
        let closed = line(
            r#"{"closed":{KEY,"generation":1,"outcome":"healed","action":"put_back",
            "attempts":2,"open_for":1.0,"not_before":null}}"#,
        );
        let (failed, done) = (attempt("failed"), attempt("ok"));
        let key = || "config/file_corrupt".to_owned();
        let note =
            |text: &str, status, detail: &str| (key(), text.to_owned(), status, detail.to_owned());
        assert_eq!(
            folded(&[&opened, &failed]),
            [note(
                "File corrupt: put back failed after 4 ms (no space), still open",
                Status::Degraded,
                ""
            )]
        );
        let healed = note(
            "File corrupt: put back took 4 ms, healed",
            Status::Up,
            "1.0 s",
        );
        let again = note("File corrupt, still open", Status::Degraded, "");
        assert_eq!(
            folded(&[&opened, &failed, &done, &closed, &opened]),
            [again, healed]
        );
    }
}
