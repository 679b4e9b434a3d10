use parking_lot::Mutex;

use crate::registry::snapshot::Exemplar;

/// The last exemplars of a family's counters, each with the stamp by which its series refers to it.
/// A series whose exemplar was evicted finds another stamp and has none.
#[derive(Debug, Default)]
pub(in crate::registry) struct Ring(pub(super) Mutex<Kept>);

#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) last: u32,
    pub(super) exemplars: Vec<(u32, Exemplar)>,
}

/// The number of exemplars kept for a family of counters: some 200 KiB.
pub(super) const KEPT: u32 = 1024;

/// The bit of a mark for an unread exemplar.
pub(super) const FRESH: u32 = 1 << 31;

/// The last stamp, followed by the first one in the next place.
pub(super) const LAST: u32 = FRESH - KEPT;

impl Ring {
    /// Keeps an exemplar and returns its stamp. None if another thread holds the lock.
    pub(super) fn put(&self, exemplar: Exemplar) -> Option<u32> {
        let mut kept = self.0.try_lock()?;
        let stamp = kept.last % LAST + 1;
        let at = usize::try_from((stamp - 1) % KEPT).unwrap_or(0);
        let entry = (stamp, exemplar);
        match kept.exemplars.get_mut(at) {
            Some(there) => *there = entry,
            None => kept.exemplars.push(entry),
        }
        kept.last = stamp;
        Some(stamp)
    }

    pub(super) fn get(&self, stamp: u32) -> Option<Exemplar> {
        let kept = self.0.lock();
        let at = usize::try_from(stamp.checked_sub(1)? % KEPT).ok()?;
        let (there, exemplar) = kept.exemplars.get(at)?;
        (*there == stamp).then(|| exemplar.clone())
    }
}
