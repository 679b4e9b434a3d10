//! Reads typed values from a tree and finds every fault, not only the first.
//!
//! serde stops at the first error. So the value at fault is noted and left out, and the tree
//! is read again, until what remains is read without error. Keys that a struct does not know
//! are seen in one go, since serde passes the names of its fields.

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

/// Reads a `T`; a faulty value is reported and its default taken, if need be that of the whole.
/// `sample` has every setting, optional ones too, and an entry named [`ANY_NAME`] in each map of
/// sections.
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

/// What is known about the tree from the readings so far.
pub(super) struct Pass {
    /// Every setting, to find the place of one that stands elsewhere, and those that exist.
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

    /// Notes the fault, unless it follows from one that was noted. Returns whether there is hope
    /// that another reading gets further.
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

    /// A list that lacks some of its elements would be checked with wrong positions, and
    /// checked for what its author did not write: it is left out as a whole.
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

    /// Notes a key that no field has, whichever of the sources it came from.
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
