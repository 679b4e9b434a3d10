//! The types of `registry::sync`, where the scheduler grants each operation as a turn.

use std::fmt;
pub(in crate::registry) use std::sync::Arc;

pub(in crate::registry) use shuttle::sync::MutexGuard;
pub(in crate::registry) use shuttle::sync::RwLockReadGuard;
pub(in crate::registry) use shuttle::sync::RwLockWriteGuard;
pub(in crate::registry) use shuttle::sync::atomic::{
    AtomicBool, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};

/// As in `parking_lot`, panics are ignored: one ends the schedule.
#[derive(Default)]
pub(in crate::registry) struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(in crate::registry) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}

pub(in crate::registry) struct RwLock<T>(shuttle::sync::RwLock<T>);

impl<T> RwLock<T> {
    pub(in crate::registry) fn new(value: T) -> Self {
        Self(shuttle::sync::RwLock::new(value))
    }

    pub(in crate::registry) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap()
    }

    pub(in crate::registry) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap()
    }
}

/// A cell that is written once, and empty to readers until the flag is set.
#[expect(unreachable_pub, reason = "used in a public trait, like that of `std`")]
pub struct OnceLock<T> {
    is_set: AtomicBool,
    setting: shuttle::sync::Mutex<()>,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(in crate::registry) fn new() -> Self {
        Self {
            is_set: AtomicBool::new(false),
            setting: shuttle::sync::Mutex::new(()),
            value: std::sync::OnceLock::new(),
        }
    }

    pub(in crate::registry) fn get(&self) -> Option<&T> {
        if self.is_set.load(Ordering::Acquire) {
            self.value.get()
        } else {
            None
        }
    }

    pub(in crate::registry) fn set(&self, value: T) -> Result<(), T> {
        let _setting = self.setting.lock().unwrap();
        self.value.set(value)?;
        self.is_set.store(true, Ordering::Release);
        Ok(())
    }

    pub(in crate::registry) fn get_or_init(&self, new: impl FnOnce() -> T) -> &T {
        if self.get().is_none() {
            let _setting = self.setting.lock().unwrap();
            if self.value.get().is_none() {
                let _ = self.value.set(new());
                self.is_set.store(true, Ordering::Release);
            }
        }
        self.value.get().unwrap()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}
