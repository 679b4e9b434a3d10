//! Values that modules of the process keep across restarts.

use serde_json::Value;

use super::State;
use crate::healing::core::{Name, What};

/// The maximum number of names.
const NAMES: usize = 8;

/// The maximum size of a value in bytes, well within a line of the journal.
const BYTES: usize = 48 * 1024;

impl State {
    /// The latest value stored under a name, by this run or an earlier one.
    #[must_use]
    pub fn remembered(&self, name: &Name) -> Option<&Value> {
        self.remembered.get(name)
    }

    pub(super) fn remember_value(&mut self, name: Name, value: Value) {
        let known = self.remembered.contains_key(&name);
        if !known && self.remembered.len() >= NAMES {
            return self.refuse("too many names to remember: use at most 8");
        }
        if value.to_string().len() > BYTES {
            return self.refuse("the value to remember is too long: use at most 48 KiB");
        }
        self.remembered.insert(name.clone(), value.clone());
        self.record(What::Remembered { name, value });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::healing::core::{Effect, Event, Notice, Record, Stamp};

    fn state() -> State {
        State::new(Arc::default(), 1)
    }

    fn step(state: &mut State, name: &str, value: Value) -> Vec<Effect> {
        let name = Name::from(name);
        state.step(Stamp::default(), Event::Remember { name, value })
    }

    fn records(effects: Vec<Effect>) -> Vec<Record> {
        let records = effects.into_iter().filter_map(|effect| match effect {
            Effect::Record(record) => Some(*record),
            _ => None,
        });
        records.collect()
    }

    #[test]
    fn the_newest_of_each_name_is_known_after_a_restart() {
        let mut state = state();
        let mut all = records(step(&mut state, "a", json!([1])));
        all.extend(records(step(&mut state, "a", json!([2]))));
        all.extend(records(step(&mut state, "b", json!("c"))));
        let restore = |records: &[Record]| {
            let (state, _) = State::restore(Arc::default(), 1, Stamp::default(), records);
            state
        };
        let again = restore(&all);
        assert_eq!(again.remembered(&"a".into()), Some(&json!([2])));
        assert_eq!(again.remembered(&"b".into()), Some(&json!("c")));
        let carried = state.carry(Stamp::default());
        let again = restore(&carried);
        assert_eq!(again.remembered(&"a".into()), Some(&json!([2])));
        assert_eq!(again.remembered(&"c".into()), None);
    }

    #[test]
    fn too_many_and_too_long_ones_are_refused() {
        let mut state = state();
        let refused = |effects: &[Effect]| {
            let refused =
                |effect: &Effect| matches!(effect, Effect::Notice(Notice::Refused { .. }));
            effects.iter().any(refused)
        };
        let long = json!("x".repeat(BYTES));
        assert!(refused(&step(&mut state, "long", long)));
        for n in 0..NAMES {
            assert!(!refused(&step(&mut state, &n.to_string(), json!(n))));
        }
        assert!(refused(&step(&mut state, "one more", json!(1))));
        assert!(!refused(&step(&mut state, "0", json!(2))), "known");
        assert_eq!(state.remembered(&"one more".into()), None);
    }
}
