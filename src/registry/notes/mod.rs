//! What is noted of a series besides its value: when it was created, and its exemplars.

mod common;
mod exemplar;
mod note;

pub(super) use common::Common;
pub(super) use exemplar::Slots;
pub(super) use note::Note;
