//! Synchronization primitives of the storage.

pub(super) use std::hint::spin_loop;
pub(super) use std::sync::atomic::{
    AtomicBool, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
pub(super) use std::sync::{Arc, OnceLock};

pub(super) use parking_lot::{Mutex, MutexGuard, RwLock};
