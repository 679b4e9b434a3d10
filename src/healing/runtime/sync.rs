//! Synchronization types of the owner of the state. The models of `model` use others.

pub(super) use parking_lot::Mutex;
pub(super) use tokio::sync::Notify as Kick;
