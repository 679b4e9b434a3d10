use super::group::GROUP;
use super::sync::OnceLock;
use crate::registry::metric::Note;

/// What the series of a group have beside their cells. Few families want to know more of their
/// series than a value; the others pay for a word in each group.
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
    /// The note, if there is one of this series or of another in its group.
    #[inline]
    pub(in crate::registry) fn get(self) -> Option<&'a Note> {
        self.notebook.0.get().map(|notes| &notes[self.at()])
    }

    /// The note, which is made if it does not exist.
    pub(in crate::registry) fn make(self) -> &'a Note {
        let notes = self.notebook.0.get_or_init(Box::default);
        &notes[self.at()]
    }

    fn at(self) -> usize {
        (self.at % GROUP) as usize
    }
}
