//! What `registry::sync` offers, where each operation is a turn that the scheduler gives.

pub(super) use std::sync::Arc;

pub(super) use shuttle::sync::MutexGuard;
pub(super) use shuttle::sync::RwLockReadGuard;
pub(super) use shuttle::sync::RwLockWriteGuard;
pub(super) use shuttle::sync::atomic::{
    AtomicBool, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};

/// As in `parking_lot`, nobody asks about panics: one ends the schedule.
#[derive(Default)]
pub(super) struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}

pub(super) struct RwLock<T>(shuttle::sync::RwLock<T>);

impl<T> RwLock<T> {
    pub(super) fn new(value: T) -> Self {
        Self(shuttle::sync::RwLock::new(value))
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap()
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap()
    }
}

/// A cell that is written once: who reads it sees it empty until the flag is up.
pub(super) struct OnceLock<T> {
    is_set: AtomicBool,
    setting: shuttle::sync::Mutex<()>,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(super) fn new() -> Self {
        Self {
            is_set: AtomicBool::new(false),
            setting: shuttle::sync::Mutex::new(()),
            value: std::sync::OnceLock::new(),
        }
    }

    pub(super) fn get(&self) -> Option<&T> {
        if self.is_set.load(Ordering::Acquire) {
            self.value.get()
        } else {
            None
        }
    }

    pub(super) fn set(&self, value: T) -> Result<(), T> {
        let _setting = self.setting.lock().unwrap();
        self.value.set(value)?;
        self.is_set.store(true, Ordering::Release);
        Ok(())
    }

    pub(super) fn get_or_init(&self, new: impl FnOnce() -> T) -> &T {
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

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> Self {
        let cell = Self::new();
        let _ = cell.set(value);
        cell
    }
}
