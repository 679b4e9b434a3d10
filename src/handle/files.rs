use std::path::PathBuf;

use super::Selfheal;
use crate::healing::{GuardFile, Name};

impl Selfheal {
    /// Starts to set up a guard of the file at `path`, reported as `component`; see
    /// [`GuardFile`].
    pub fn guard_file(&self, component: impl Into<Name>, path: impl Into<PathBuf>) -> GuardFile {
        GuardFile::of(self.healing(), component, path).registry(self.registry())
    }
}
