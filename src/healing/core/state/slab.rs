//! Storage of open issues, in slots whose identifiers are never valid for another issue.

use slotmap::{DefaultKey, SlotMap};

/// The slot of an issue. A reused slot has another version, so that an old identifier finds
/// nothing.
pub(super) type SlotId = DefaultKey;

pub(super) type Slab<T> = SlotMap<SlotId, T>;

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
