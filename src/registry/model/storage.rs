//! The files of `super::super::storage`, with other primitives.
#![allow(
    clippy::duplicate_mod,
    reason = "the files are meant to be compiled a second time"
)]
#![expect(unreachable_pub, reason = "the rest of the registry uses more of it")]

#[path = "../storage/cell.rs"]
mod cell;
#[path = "../storage/group.rs"]
#[allow(dead_code, reason = "series ids are used by samplers only")]
mod group;
#[path = "../storage/hint.rs"]
mod hint;
#[path = "../storage/index.rs"]
mod index;
#[path = "../storage/key.rs"]
mod key;
#[path = "../storage/life.rs"]
mod life;
#[path = "../storage/limits.rs"]
mod limits;
#[path = "../storage/notes.rs"]
#[allow(
    dead_code,
    reason = "exemplars and created times are used by metrics only"
)]
mod notes;
#[path = "../storage/places.rs"]
mod places;
#[path = "../storage/remove.rs"]
#[allow(dead_code, reason = "used by those who keep handles")]
mod remove;
#[path = "../storage/store.rs"]
mod store;
#[path = "../storage/table.rs"]
mod table;
#[path = "../storage/text.rs"]
mod text;
#[path = "../storage/view.rs"]
#[allow(dead_code, reason = "series are read with their labels here")]
mod view;

use super::sync;
use crate::registry::storage::OVERFLOW;

pub(super) use group::Place;
pub(super) use limits::{Rules, Total};
pub(super) use notes::Notes;
pub(super) use store::Storage;

pub(super) fn has_moved<C: cell::Cell>(storage: &Storage<C>) -> bool {
    storage.later.get().is_some()
}
