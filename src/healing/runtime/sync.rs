//! What the owner of the state is shared by. The models of `model` have another of these.

pub(super) use parking_lot::Mutex;
pub(super) use tokio::sync::Notify as Kick;
