//! Guards a file: adopts every good content as the one to go back to, and restores it when
//! the file becomes corrupt or disappears.
//!
//! The module promises:
//! - "Corrupt" is what the validator refuses, never merely what is different: a legitimate
//!   edit is adopted, and never undone, not even one made between detection and restore.
//! - Content is adopted when two readings, some time apart, found the same at rest and no writer
//!   has the file open, as far as the system says (one who writes nothing for five minutes has
//!   left it; what changes for ever is adopted as soon as the system says that it is whole). The
//!   last three are kept; see [`GuardedFile::go_back`]. That holds for what the file has when the
//!   guard starts as well: until it was found at rest, what the [copy](GuardFile::copy_at) has is
//!   restored and kept. Where there is none, there is nothing else to go back to.
//! - The restore is atomic (written beside the file, synced, renamed over it), and brings back the
//!   owner, the group and the rights of when the file was good, without those that are lent to
//!   whoever runs it. A file that is a mount of its own is written to instead. The bad content is
//!   then kept aside as `NAME.corrupt-` and random digits, for this user alone, the newest three
//!   of them, where there is space.
//! - A fault is one when two readings found the same (the same bad content, or no file), and not
//!   when someone was writing between them; see [`confirm_after`](GuardFile::confirm_after). A
//!   newer fault of another kind takes the place of the older one.
//! - The folders on the way are watched, for editors replace files and links move; an event is
//!   only a hint, and a periodic check by hash is the truth, so a lost event costs time and nothing
//!   else. All guards of a process share one watcher of the system.
//! - A file that cannot be read, that is too large, or whose validator panics is reported and
//!   left alone: of what cannot be judged no one knows that it is bad.
//! - A path that ends in a symbolic link is read and not restored: whoever made the link
//!   (Kubernetes' ConfigMaps, for one) manages the content behind it.
//! - Nothing that another user does to the file or its folder makes this process read, write or
//!   hang where it should not; see [`threat_model`](crate::healing::threat_model).
//!
//! ```no_run
//! # async fn example(healing: selfheal::healing::Healing) -> Result<(), Box<dyn std::error::Error>> {
//! use selfheal::healing::GuardFile;
//!
//! fn parse(bytes: &[u8]) -> Result<u16, std::num::ParseIntError> {
//!     String::from_utf8_lossy(bytes).trim().parse()
//! }
//!
//! GuardFile::new(healing, "port", "port.conf")
//!     .validate(parse)
//!     .on_restored(|port| println!("back to port {port}"))
//!     .on_changed(|port| println!("port {port} was chosen"))
//!     .install()?;
//! # Ok(())
//! # }
//! ```

mod aside;
mod content;
mod engine;
mod error;
mod guarded;
mod kept;
mod metrics;
mod mounts;
mod reason;
mod restore;
mod watch;
mod worker;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use error::{GoBackError, GuardError};
pub use kept::{GuardedFile, KeptContent};
pub use metrics::FileMetrics;

use self::content::Validator;
use self::engine::FileGuard;
use self::guarded::{Guarded, Hook, Spec};
use self::watch::Watch;
use crate::healing::core::{Name, Severity};
use crate::healing::runtime::{Healing, StartError};
use crate::registry::Registry;
use crate::util::BoundedStr;
use crate::util::place::Sharing;

/// Files larger than this are not guarded unless [`GuardFile::max_bytes`] allows it: the last
/// good content is kept in memory.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// How often the file is checked when no event hints at a change.
const EVERY: Duration = Duration::from_secs(5);

/// How long after the first check that found a fault the second one comes.
const CONFIRM_AFTER: Duration = Duration::from_millis(200);

/// How long the file system, the validator and the hooks may take together.
const DEADLINE: Duration = Duration::from_secs(10);

/// A file guard that is being set up; ended by [`install`](GuardFile::install).
///
/// `T` is what the validator makes of the content, and what the hooks are handed.
#[must_use = "a file is guarded once `install` is called"]
pub struct GuardFile<T = ()> {
    /// Why there is no engine is returned by [`install`](GuardFile::install).
    healing: Result<Healing, StartError>,
    registry: Registry,
    spec: Spec,
    parse: Arc<Parser<T>>,
    verbatim: bool,
}

/// What makes a value of the content, or says why it cannot.
type Parser<T> = dyn Fn(&[u8]) -> Result<T, BoundedStr> + Send + Sync;

impl GuardFile<()> {
    /// Starts to set up a guard of the file at `path`, reported as `component`. Until
    /// [`validate`](GuardFile::validate) is called every content is good, and only a file that
    /// disappears is restored. A relative path starts where the process is when the guard is
    /// installed, wherever it goes later.
    pub fn new(healing: Healing, component: impl Into<Name>, path: impl Into<PathBuf>) -> Self {
        Self::of(Ok(healing), component, path)
    }

    /// The same where it may turn out that there is no engine.
    pub(crate) fn of(
        healing: Result<Healing, StartError>,
        component: impl Into<Name>,
        path: impl Into<PathBuf>,
    ) -> Self {
        Self {
            healing,
            registry: Registry::new(),
            spec: Spec {
                component: component.into(),
                path: path.into(),
                sharing: Sharing::REFUSED,
                max_bytes: MAX_BYTES,
                validate: Arc::new(|_| Ok(())),
                on_restored: Vec::new(),
                on_changed: Vec::new(),
                copy: None,
                severity: Severity::Error,
                settle: None,
                every: EVERY,
                confirm_after: CONFIRM_AFTER,
                deadline: DEADLINE,
            },
            parse: Arc::new(|_| Ok(())),
            verbatim: false,
        }
    }
}

impl<T: 'static> GuardFile<T> {
    /// Sets what says whether content is good: usually the application's own parser. It is
    /// called on a thread that may block, and may panic.
    pub fn validate<U: 'static, E: fmt::Display>(
        mut self,
        parse: impl Fn(&[u8]) -> Result<U, E> + Send + Sync + 'static,
    ) -> GuardFile<U> {
        let parse: Arc<Parser<U>> =
            Arc::new(move |bytes| parse(bytes).map_err(|error| error.to_string().into()));
        let judge = Arc::clone(&parse);
        let validate: Arc<Validator> = Arc::new(move |bytes| judge(bytes).map(drop));
        self.spec.validate = validate;
        GuardFile {
            healing: self.healing,
            registry: self.registry,
            spec: self.spec,
            parse,
            verbatim: self.verbatim,
        }
    }

    /// Whether what the validator says is written down as it is, up to 256 bytes: its message may
    /// show lines of the file, and so a password, and goes to the journal, the page, the log and
    /// the alerts. Default: no. Then its first line is kept, with everything masked that may be a
    /// value: what stands in quotes or behind `=`, numbers other than those of lines and columns,
    /// and words of the file's values.
    pub fn verbatim(mut self, on: bool) -> Self {
        self.verbatim = on;
        self
    }

    /// Sets the registry that the [`FileMetrics`] are recorded in. Default: none that anybody
    /// sees, but that of the handle where it was made by one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Calls `hook` with the parsed content after each restore; a panic in it makes the
    /// attempt a failed one. Default: nothing is called.
    pub fn on_restored(mut self, hook: impl Fn(T) + Send + Sync + 'static) -> Self {
        let hook = self.parsed(hook);
        self.spec.on_restored.push(hook);
        self
    }

    /// Calls `hook` with the parsed content whenever someone else changed the file to other
    /// good content. Default: nothing is called.
    pub fn on_changed(mut self, hook: impl Fn(T) + Send + Sync + 'static) -> Self {
        let hook = self.parsed(hook);
        self.spec.on_changed.push(hook);
        self
    }

    /// Keeps a copy of the last good content at `path`, so that it outlives the process: a file
    /// that is bad or missing when the service starts is then restored from it, with the owner
    /// and the rights of the copy, which are those of the file but for the right of others to
    /// write. The directory must exist. Default: the last good content is kept in memory only.
    pub fn copy_at(mut self, path: impl Into<PathBuf>) -> Self {
        self.spec.copy = Some(path.into());
        self
    }

    /// Sets the largest content that is guarded, in bytes; it is kept in memory.
    /// Default: 16 MiB.
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.spec.max_bytes = max_bytes;
        self
    }

    /// Guards the file as root though another user may write in its directory, or in one on the
    /// way to it. That user decides then what the file is, and may undo each restore; what the
    /// guard does for all that is in the [threat model](crate::healing::threat_model). Default:
    /// [`install`](GuardFile::install) refuses such a place. It is of no meaning for a process
    /// that is not root.
    pub fn allow_shared_directory(mut self) -> Self {
        self.spec.sharing.allowed = true;
        self
    }

    /// Trusts another user, by number, with the way to the file as this one and root are: follows
    /// the links that are theirs, and takes folders of theirs for no one else's. It is for a file
    /// that another account deploys, as `current -> releases/7`; that user then decides what this
    /// process reads, where it has the rights to. Default: no one, and a link of another user is
    /// refused.
    pub fn trust_user(mut self, user: u32) -> Self {
        self.spec.sharing.trusted = Some(user);
        self
    }

    /// Sets how long the file system, the validator and the hooks may take together, each time
    /// that the file is read or restored; it is a time of the machine. What takes longer goes on
    /// by itself: detection fails until it has ended, so that the component is unknown, then
    /// degraded, and nothing waits for it. Default: 10 s.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.spec.deadline = deadline;
        self
    }

    /// Sets how bad it is when the file is corrupt or missing. Default: [`Severity::Error`].
    pub fn severity(mut self, severity: Severity) -> Self {
        self.spec.severity = severity;
        self
    }

    /// Sets how long a restored file must stay good to count as healed.
    /// Default: that of the policy.
    pub fn settle(mut self, settle: Duration) -> Self {
        self.spec.settle = Some(settle);
        self
    }

    /// Sets how often the file is checked when no event hints at a change.
    /// Default: 5 s.
    pub fn every(mut self, interval: Duration) -> Self {
        self.spec.every = interval;
        self
    }

    /// Sets how long after the first check that found a fault the second one comes, which has to
    /// find the same. Default: 200 ms.
    ///
    /// A file that is being written is bad for a moment: shorter than it will be, or empty. What
    /// distinguishes that from a fault is less the time than the end of the writing. On Linux the
    /// kernel says when a writer has closed the file, and nothing is reported before; a file
    /// that is renamed into place, or removed, is complete as it is. So the time has to cover
    /// only those who write in several goes, such as a script that removes the file and makes
    /// it anew: give it more where those take longer. Content that changes between the
    /// looks, and once more before the restore, is looked at anew. One who keeps the file open,
    /// or goes on changing it, is waited for 5 s, but no longer than half of the policy's
    /// `timeout`.
    ///
    /// Where nothing says that a writer is done (another system than Linux, a directory that
    /// cannot be watched) the second check comes after the time of [`every`](GuardFile::every).
    pub fn confirm_after(mut self, wait: Duration) -> Self {
        self.spec.confirm_after = wait;
        self
    }

    /// Looks at the file and guards it from now on. This reads the file, and blocks until it has
    /// or its [`deadline`](GuardFile::deadline) is over.
    ///
    /// Good content that is found now is what the guard goes back to, unless a copy has other good
    /// content: then it is that, until the first detection run finds the file at rest. For someone
    /// may be writing it just now, and half of a file may be good to the validator.
    ///
    /// # Errors
    /// There is nothing good to restore: the file is missing, bad or unreadable and there is no
    /// usable copy of it; someone else may change the way to it; it is not read in time; or an
    /// engine of this name is registered already.
    pub fn install(self) -> Result<GuardedFile, GuardError> {
        let Self {
            healing,
            registry,
            mut spec,
            verbatim,
            ..
        } = self;
        let healing = healing?;
        if !verbatim {
            let judge = Arc::clone(&spec.validate);
            spec.validate = Arc::new(move |bytes| {
                judge(bytes).map_err(|why| reason::masked(why.as_str(), bytes))
            });
        }
        spec.path = settled(&spec.path)?;
        spec.copy = spec.copy.as_deref().map(settled).transpose()?;
        let metrics = registry.group::<FileMetrics>()?;
        let file = Arc::new(Guarded::new(spec, metrics));
        file.work(Guarded::start).map_err(|_| GuardError::Late {
            path: file.spec.path.clone(),
            deadline: file.spec.deadline,
        })??;
        let (hints, signals) = (healing.clone(), Arc::clone(&file.signals));
        let component = file.spec.component.clone();
        file.watch(Watch::new(move |change| {
            signals.note(change);
            hints.hint(component.as_str());
        }));
        healing.register(FileGuard::new(Arc::clone(&file)))?;
        Ok(GuardedFile::new(file))
    }

    fn parsed(&self, hook: impl Fn(T) + Send + Sync + 'static) -> Box<Hook> {
        let parse = Arc::clone(&self.parse);
        Box::new(move |bytes| {
            if let Ok(parsed) = parse(bytes) {
                hook(parsed);
            }
        })
    }
}

#[cfg(test)]
mod tests;

/// A path that means the same wherever the process goes, and that has a directory in it.
fn settled(path: &Path) -> Result<PathBuf, GuardError> {
    std::path::absolute(path).map_err(|error| GuardError::Unreadable {
        path: path.to_owned(),
        why: error.to_string().into(),
    })
}

impl<T> fmt::Debug for GuardFile<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardFile")
            .field("component", &self.spec.component)
            .field("path", &self.spec.path)
            .finish_non_exhaustive()
    }
}
