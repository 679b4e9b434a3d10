use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::GoBackError;
use super::guarded::Guarded;
use super::restore::RestoreError;

/// A guarded file, returned by [`install`](super::GuardFile::install): its kept good contents, and
/// a way to restore one. Dropping it does not end the guard.
///
/// The last three different good contents are kept in memory, since a validator may accept a
/// partial or empty file. [`go_back`](Self::go_back) undoes such an adoption.
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

/// A kept good content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptContent {
    /// Its BLAKE3 hash in hexadecimal digits, as in the evidence of faults.
    pub blake3: String,
    /// Its size in bytes.
    pub bytes: usize,
    /// Modification time of the file with this content, if known.
    pub modified: Option<SystemTime>,
}

impl GuardedFile {
    pub(super) fn new(file: Arc<Guarded>) -> Self {
        Self { file }
    }

    /// The kept good contents, at most three; the one to restore first.
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

    /// Replaces the current content, which is kept aside, by older content, and calls the restore
    /// hooks. From then on this content is the one to restore; later good contents are forgotten.
    /// Blocks while it writes, at most for the guard's `deadline`.
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
            // Newer content has displaced it meanwhile.
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
