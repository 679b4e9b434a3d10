use super::life::GROUP;
use super::sync::OnceLock;
use crate::registry::notes::{Common, Note};
use crate::registry::snapshot::ExemplarLabels;

/// Notes of the series of a group, allocated on first use. Families without notes pay for a word in
/// each group.
pub(super) struct Notebook(OnceLock<Box<[Note; GROUP as usize]>>);

impl Notebook {
    pub(super) fn new() -> Self {
        Self(OnceLock::new())
    }

    #[inline]
    pub(super) fn at(&self, at: u32) -> Notes<'_> {
        Notes { notebook: self, at }
    }
}

/// The note of one series, which need not exist.
#[derive(Clone, Copy)]
pub(in crate::registry) struct Notes<'a> {
    notebook: &'a Notebook,
    at: u32,
}

impl<'a> Notes<'a> {
    /// Records the creation time, if its family does so.
    pub(in crate::registry) fn birth(self, common: &Common) {
        if let Some(age) = common.age() {
            self.make().born(age);
        }
    }

    /// Takes an exemplar for the series, unless it has an unread one.
    #[inline]
    pub(in crate::registry) fn exemplar(
        self,
        common: &Common,
        value: f64,
        labels: impl FnOnce(&mut ExemplarLabels),
    ) {
        match self.get() {
            Some(note) => note.offer(common, value, labels),
            None => self.first_exemplar(common, value, labels),
        }
    }

    #[cold]
    fn first_exemplar(self, common: &Common, value: f64, labels: impl FnOnce(&mut ExemplarLabels)) {
        let first = Note::default();
        first.offer(common, value, labels);
        // A rejected exemplar leaves nothing to store.
        if !first.has_no_exemplar() {
            self.make().set_exemplar(first);
        }
    }

    /// The note, if this series or another in its group has one.
    #[inline]
    pub(in crate::registry) fn get(self) -> Option<&'a Note> {
        self.notebook.0.get().map(|notes| &notes[self.at()])
    }

    /// The note, created if it does not exist.
    pub(in crate::registry) fn make(self) -> &'a Note {
        let notes = self.notebook.0.get_or_init(Box::default);
        &notes[self.at()]
    }

    fn at(self) -> usize {
        (self.at % GROUP) as usize
    }
}
