//! The open issues, each in a slot whose number is never valid for another issue.

/// The place of an issue. A slot used again has another version, so that an old number finds
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SlotId {
    index: u32,
    version: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Slab<T> {
    slots: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, value: T) -> SlotId {
        if let Some(index) = self.free.pop()
            && let Some((version, slot)) = self.slots.get_mut(index as usize)
        {
            *slot = Some(value);
            return SlotId {
                index,
                version: *version,
            };
        }
        // The number of open issues is limited far below 2³².
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push((0, Some(value)));
        SlotId { index, version: 0 }
    }

    pub(super) fn get(&self, id: SlotId) -> Option<&T> {
        let (version, slot) = self.slots.get(id.index as usize)?;
        slot.as_ref().filter(|_| *version == id.version)
    }

    pub(super) fn get_mut(&mut self, id: SlotId) -> Option<&mut T> {
        let (version, slot) = self.slots.get_mut(id.index as usize)?;
        slot.as_mut().filter(|_| *version == id.version)
    }

    pub(super) fn remove(&mut self, id: SlotId) -> Option<T> {
        let (version, slot) = self.slots.get_mut(id.index as usize)?;
        if *version != id.version {
            return None;
        }
        let value = slot.take()?;
        *version = version.wrapping_add(1);
        self.free.push(id.index);
        Some(value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (SlotId, &T)> {
        (0u32..)
            .zip(&self.slots)
            .filter_map(|(index, (version, slot))| {
                let version = *version;
                slot.as_ref()
                    .map(|value| (SlotId { index, version }, value))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_number_finds_nothing() {
        let mut slab = Slab::default();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!(slab.remove(a), None);
        let c = slab.insert('c');
        assert_eq!((slab.get(a), slab.get(c)), (None, Some(&'c')));
        assert_ne!(a, c);
        assert_eq!(slab.get_mut(a), None);
        assert_eq!(slab.len(), 2);
        assert_eq!(slab.iter().collect::<Vec<_>>(), [(c, &'c'), (b, &'b')]);
    }
}
