use std::path::PathBuf;
use std::sync::{Arc, Once};

use super::Selfheal;
use crate::healing::builtin::FileMetrics;
use crate::healing::{GuardFile, Name};
use crate::health::{Contributor, Fact};

/// Adds the number of guarded files to the health report once, at the first guard.
pub(super) struct Declared(Once);

impl Default for Declared {
    fn default() -> Self {
        Self(Once::new())
    }
}

struct Guarded(Arc<FileMetrics>);

impl Contributor for Guarded {
    fn facts(&self) -> Vec<Fact> {
        let mut facts = vec![Fact::new("files guarded", self.0.guarded().to_string())];
        let unwatched = self.0.unwatched();
        if unwatched > 0 {
            // These are only checked periodically.
            facts.push(Fact::new("files not watched", unwatched.to_string()));
        }
        facts
    }
}

impl Selfheal {
    /// Starts building a guard of the file at `path`, reported as `component`; see [`GuardFile`].
    pub fn guard_file(&self, component: impl Into<Name>, path: impl Into<PathBuf>) -> GuardFile {
        self.inner.files.0.call_once(|| {
            // If they clash with other metrics, installing the guard reports it.
            if let Ok(metrics) = self.registry().group() {
                self.contribute(Guarded(metrics));
            }
        });
        GuardFile::of(self.healing(), component, path).registry(self.registry())
    }
}
