use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::registry::notes::Common;
use crate::registry::snapshot::{Exemplar, ExemplarLabels};

/// The exemplars of a histogram, one for each bucket, shared by all threads: a full slot is only
/// read until a scrape has read it.
#[derive(Debug, Default)]
pub(in crate::registry) struct Slots(OnceLock<Box<[Slot]>>);

#[derive(Debug, Default)]
struct Slot {
    /// Whether the exemplar is unread.
    fresh: AtomicBool,
    exemplar: Mutex<Option<Exemplar>>,
}

impl Slots {
    /// Takes an exemplar at `at` of `count` slots, unless there is an unread one.
    #[inline]
    pub(in crate::registry) fn offer(
        &self,
        (at, count): (usize, usize),
        common: &Common,
        value: f64,
        labels: impl FnOnce(&mut ExemplarLabels),
    ) {
        let slot = self.0.get().and_then(|slots| slots.get(at));
        if !slot.is_some_and(|slot| slot.fresh.load(Ordering::Relaxed)) {
            self.take((at, count), common, value, labels);
        }
    }

    #[cold]
    fn take(
        &self,
        (at, count): (usize, usize),
        common: &Common,
        value: f64,
        labels: impl FnOnce(&mut ExemplarLabels),
    ) {
        let exemplar = common.exemplar(value, labels);
        if exemplar == Ok(None) {
            return;
        }
        let new = || (0..count).map(|_| Slot::default()).collect();
        let Some(slot) = self.0.get_or_init(new).get(at) else {
            return;
        };
        if let Ok(Some(exemplar)) = exemplar {
            let Some(mut there) = slot.exemplar.try_lock() else {
                return;
            };
            *there = Some(exemplar);
        }
        // Further invalid exemplars are likely: the next one is examined only after a scrape.
        slot.fresh.store(true, Ordering::Relaxed);
    }

    /// Copies the exemplars, by rising value, and marks them as read.
    pub(in crate::registry) fn read(&self, out: &mut Vec<Exemplar>) {
        out.clear();
        for slot in self.0.get().into_iter().flatten() {
            out.extend(slot.exemplar.lock().clone());
            slot.fresh.store(false, Ordering::Relaxed);
        }
        out.sort_by(|a, b| a.value.total_cmp(&b.value));
    }
}
