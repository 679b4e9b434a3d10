//! Deserializes typed values from a tree and finds every fault, not only the first.
//!
//! serde stops at the first error. So the faulty value is recorded and removed, and the tree is
//! read again, until no error remains. Unknown keys of a struct are found in one reading, since
//! serde passes the names of its fields.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::elsewhere;
use super::error::{Error, NO_SUCH_NAME};
use super::reader::Reader;
use super::{Node, child_path, env, leads_to, write};
use crate::config::faults::{Fault, Faults, Origin};
use crate::config::suggest;

/// Reads a `T`; a faulty value is reported and replaced by its default, if need be that of the
/// whole. `sample` has every setting, including optional ones, and an entry named [`ANY_NAME`] in
/// each map of sections.
pub(in crate::config) fn read<T: DeserializeOwned + Serialize + Default>(
    root: &Node,
    sample: &T,
    faults: &mut Faults,
) -> T {
    let pass = Pass {
        whole: write(sample).unwrap_or_else(|_| Node::table()),
        left_out: RefCell::default(),
        faults: RefCell::default(),
    };
    let value = loop {
        if pass.faults.borrow().len() > Faults::MAX {
            break T::default();
        }
        match T::deserialize(Reader::new(root, &pass, String::new())) {
            Ok(value) => {
                if !pass.leave_out_cut_lists() {
                    break value;
                }
            }
            Err(error) => {
                if !pass.leave_out(error) {
                    break T::default();
                }
            }
        }
    };
    faults.append(root.locate(pass.faults.into_inner()));
    value
}

/// The state of reading a tree, kept across readings.
pub(super) struct Pass {
    /// A tree of every setting, to find the right place of an unknown key.
    whole: Node,
    left_out: RefCell<BTreeSet<String>>,
    faults: RefCell<Faults>,
}

impl Pass {
    pub(super) fn is_left_out(&self, path: &str) -> bool {
        self.left_out.borrow().contains(path)
    }

    fn lacks_part_of(&self, place: &str) -> bool {
        let left_out = self.left_out.borrow();
        left_out
            .range(place.to_owned()..)
            .take_while(|path| path.starts_with(place))
            .any(|path| leads_to(place, path))
    }

    /// Records the fault, unless it follows from a recorded one. Returns whether another reading
    /// can get further.
    fn leave_out(&self, error: Error) -> bool {
        let place = error.path.clone().unwrap_or_default();
        let consequence = match error.missing {
            Some(field) => self.is_left_out(&child_path(&place, field)),
            None => self.lacks_part_of(&place),
        };
        if !consequence {
            self.faults.borrow_mut().push(error.into_fault());
        }
        !place.is_empty() && self.left_out.borrow_mut().insert(place)
    }

    /// Removes lists that lack elements, since their checks would report wrong positions and values
    /// that the author did not write.
    fn leave_out_cut_lists(&self) -> bool {
        let mut left_out = self.left_out.borrow_mut();
        let cut: Vec<String> = left_out
            .iter()
            .filter(|path| path.ends_with(']'))
            .filter_map(|path| path.rsplit_once('['))
            .map(|(list, _)| list.to_owned())
            .collect();
        let before = left_out.len();
        left_out.extend(cut);
        left_out.len() > before
    }

    /// Records a key that no field has, from any source.
    pub(super) fn unknown_key(&self, parent: &str, key: &str, node: &Node, fields: &[&str]) {
        let path = child_path(parent, key);
        if !self.left_out.borrow_mut().insert(path.clone()) {
            return;
        }
        let place = elsewhere::place(&self.whole, key);
        let variables = env::variables(node, &path);
        let mut faults = self.faults.borrow_mut();
        for variable in &variables {
            faults.push_with(|| Fault {
                path: variable.path.clone(),
                problem: NO_SUCH_NAME.to_owned(),
                hint: {
                    let place = place.as_ref().map(|place| &*place.path);
                    env::hint(variable, place, &self.whole)
                        .unwrap_or_else(|| suggest::hint(key, fields, "the keys here are"))
                },
                origin: Some(Origin::Variable(variable.name.to_owned())),
            });
        }
        if variables.is_empty() || matches!(node.origin, Some(Origin::Line(_))) {
            faults.push_with(|| Fault {
                path,
                problem: NO_SUCH_NAME.to_owned(),
                hint: match &place {
                    Some(place) => place.hint(),
                    None => suggest::hint(key, fields, "the keys here are"),
                },
                origin: node.origin.clone(),
            });
        }
    }
}
