use std::collections::BTreeMap;

use super::issue::{IssueKey, ShortText};
use super::moment::Stamp;

/// The keys whose state a detection run could not determine, each with the reason. At most
/// [`MAX`](Self::MAX) are kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Unknown {
    keys: BTreeMap<IssueKey, NotKnown>,
    more: bool,
}

/// Why the state of a key is not known.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NotKnown {
    /// The reason, from the engine.
    pub why: ShortText,
    /// Since when: the first of the consecutive detection runs that could not determine it.
    pub since: Stamp,
}

impl Unknown {
    /// The maximum number of keys.
    pub const MAX: usize = 1024;

    /// Adds a key, or replaces its reason.
    pub fn add(&mut self, key: IssueKey, why: impl Into<ShortText>, now: Stamp) {
        if self.keys.len() >= Self::MAX && !self.keys.contains_key(&key) {
            self.more = true;
            return;
        }
        let (why, since) = (why.into(), now);
        self.keys.insert(key, NotKnown { why, since });
    }

    /// Why the state of a key is not known; `None` if it is.
    #[must_use]
    pub fn get(&self, key: &IssueKey) -> Option<&NotKnown> {
        self.keys.get(key)
    }

    /// Whether there were more than the maximum: any key may be among them.
    #[must_use]
    pub const fn has_more(&self) -> bool {
        self.more
    }

    /// The keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&IssueKey, &NotKnown)> {
        self.keys.iter()
    }

    pub(super) fn remove(&mut self, key: &IssueKey) {
        self.keys.remove(key);
    }

    /// Replaces what the detection run before this one could not determine.
    pub(super) fn replace(&mut self, newer: Self) {
        let older = std::mem::replace(self, newer);
        for (key, known) in &mut self.keys {
            if let Some(before) = older.keys.get(key) {
                known.since = before.since;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::healing::core::Moment;
    use std::time::Duration;

    #[test]
    fn it_is_bounded_and_says_that_there_were_more() {
        let mut unknown = Unknown::default();
        let key = |n: usize| IssueKey::new(n.to_string(), "down");
        for n in 0..Unknown::MAX {
            unknown.add(key(n), "no answer", Stamp::default());
        }
        unknown.add(key(0), "again no answer", Stamp::default());
        assert!(!unknown.has_more());
        unknown.add(key(Unknown::MAX), "no answer", Stamp::default());
        assert!(unknown.has_more());
        assert_eq!(unknown.iter().count(), Unknown::MAX);
        assert_eq!(
            unknown.get(&key(0)).unwrap().why.as_str(),
            "again no answer"
        );
    }

    #[test]
    fn the_first_of_consecutive_runs_is_the_time_since_when() {
        let at = |seconds| Stamp {
            at: Moment::after_start(Duration::from_secs(seconds)),
            ..Stamp::default()
        };
        let (a, b) = (IssueKey::new("a", "down"), IssueKey::new("b", "down"));
        let run = |keys: &[&IssueKey], seconds| {
            let mut unknown = Unknown::default();
            for key in keys {
                unknown.add((*key).clone(), "no answer", at(seconds));
            }
            unknown
        };
        let mut known = run(&[&a], 1);
        known.replace(run(&[&a, &b], 2));
        let since = |known: &Unknown, key| known.get(key).unwrap().since;
        assert_eq!((since(&known, &a), since(&known, &b)), (at(1), at(2)));
        known.replace(run(&[&b], 3));
        known.replace(run(&[&a], 4));
        assert_eq!(since(&known, &a), at(4));
        assert_eq!(known.get(&b), None);
    }
}
