use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::GoBackError;
use super::guarded::Guarded;
use super::restore::RestoreError;

/// A file that is guarded, as [`install`](super::GuardFile::install) gives it: the good contents
/// that are kept of it, and the way back to one. The file is guarded without it as well.
///
/// The last three different good contents are kept in memory, for a validator takes what it can
/// parse: half of a file, or an empty one. What was adopted so is undone by
/// [`go_back`](Self::go_back).
///
/// ```no_run
/// # fn example(heal: &selfheal::Selfheal) -> Result<(), Box<dyn std::error::Error>> {
/// let file = heal.guard_file("config", "shop.toml").install()?;
/// // The first is what the file has, or had when it was good.
/// if let Some(before) = file.kept().get(1) {
///     file.go_back(before)?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct GuardedFile {
    file: Arc<Guarded>,
}

/// Good content of a file that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptContent {
    /// Its hash, as in the evidence of faults and in hexadecimal digits.
    pub blake3: String,
    /// How many bytes it has.
    pub bytes: usize,
    /// When the file with it was last written, if the system says so.
    pub modified: Option<SystemTime>,
}

impl GuardedFile {
    pub(super) fn new(file: Arc<Guarded>) -> Self {
        Self { file }
    }

    /// The good contents that are kept, at most three; first the one that is restored.
    #[must_use]
    pub fn kept(&self) -> Vec<KeptContent> {
        let kept = self.file.kept();
        let about = |content: &super::content::Content| KeptContent {
            blake3: content.hash.to_string(),
            bytes: content.bytes.len(),
            modified: content.facts.modified,
        };
        kept.iter().map(about).collect()
    }

    /// Puts older content in the place of whatever the file has now, which is kept aside, and
    /// calls the hooks for a restore. From then on this is what is restored; what was good after
    /// it is forgotten. It blocks while it writes, at most for the guard's `deadline`.
    ///
    /// # Errors
    /// The content is no longer kept, or the file cannot be written.
    pub fn go_back(&self, to: &KeptContent) -> Result<(), GoBackError> {
        let not_kept = || GoBackError::NotKept {
            blake3: to.blake3.clone(),
        };
        let kept = self.file.kept();
        let content = kept.iter().find(|kept| kept.hash.to_string() == to.blake3);
        let hash = content.ok_or_else(not_kept)?.hash;
        let done = self.file.work(move |file| file.go_back(hash));
        let failed = |source| {
            let path = self.file.spec.path.clone();
            GoBackError::Failed { path, source }
        };
        match done.map_err(|late| failed(late.into()))? {
            Ok(()) => Ok(()),
            // It was pushed out meanwhile.
            Err(RestoreError::Changed) => Err(not_kept()),
            Err(error) => Err(failed(error.into())),
        }
    }
}

impl fmt::Debug for GuardedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedFile")
            .field("path", &self.file.spec.path)
            .field("kept", &self.kept())
            .finish()
    }
}
