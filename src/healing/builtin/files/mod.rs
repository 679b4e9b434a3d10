//! Guards a file: adopts every good content as the one to restore, and restores it when the file
//! becomes corrupt or disappears.
//!
//! The module promises:
//! - "Corrupt" means refused by the validator, never merely different: a legitimate edit is
//!   adopted, and never undone, not even one made between detection and restore.
//! - Content is adopted when two readings, some time apart, found the same at rest and no writer
//!   has the file open, as far as the system reports (a writer without changes for five minutes
//!   counts as done; content that changes constantly is adopted once the system reports it closed).
//!   The last three are kept; see [`GuardedFile::go_back`]. This also holds for the content at the
//!   start: until it was found at rest, the [copy](GuardFile::copy_at) is restored and kept, if
//!   there is one.
//! - The restore is atomic (written beside the file, synced, renamed over it), and restores the
//!   owner, the group and the mode of the good file, without setuid and setgid. A file that is a
//!   mount point is written in place instead. The bad content is then kept aside as
//!   `NAME.corrupt-` and random digits, readable by this user only, the newest three of them, if
//!   there is space.
//! - A fault counts when two readings found the same (the same bad content, or no file), and no one
//!   was writing between them; see [`confirm_after`](GuardFile::confirm_after). A newer fault of
//!   another kind supersedes the older one.
//! - The folders on the path are watched, since editors replace files and links move; an event is
//!   only a hint, and a periodic check by hash decides, so a lost event only costs time. All guards
//!   of a process share one system watcher.
//! - A file that is unreadable or too large, or whose validator panics, is reported and left alone:
//!   it is not known to be bad.
//! - A path that ends in a symbolic link is read and not restored: its creator (such as Kubernetes
//!   for ConfigMaps) manages the content behind it.
//! - No action of another user on the file or its folder makes this process read, write or hang
//!   where it should not; see [`threat_model`](crate::healing::threat_model).
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

/// Default of [`GuardFile::max_bytes`]: larger files are not guarded, as the last good content is
/// kept in memory.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// How often the file is checked when no event hints at a change.
const EVERY: Duration = Duration::from_secs(5);

/// The wait between the first check that finds a fault and the second.
const CONFIRM_AFTER: Duration = Duration::from_millis(200);

/// Time limit of the file system, the validator and the hooks together.
const DEADLINE: Duration = Duration::from_secs(10);

/// Builds a file guard; ended by [`install`](GuardFile::install).
///
/// `T` is the value that the validator parses from the content, and that the hooks receive.
#[must_use = "a file is guarded once `install` is called"]
pub struct GuardFile<T = ()> {
    /// The engine, or the error that [`install`](GuardFile::install) returns.
    healing: Result<Healing, StartError>,
    registry: Registry,
    spec: Spec,
    parse: Arc<Parser<T>>,
    verbatim: bool,
}

/// Parses the content to a value, or returns why it is bad.
type Parser<T> = dyn Fn(&[u8]) -> Result<T, BoundedStr> + Send + Sync;

impl GuardFile<()> {
    /// Starts to build a guard of the file at `path`, reported as `component`. Unless
    /// [`validate`](GuardFile::validate) is called, every content is good, and only a file that
    /// disappears is restored. A relative path is resolved against the current directory at
    /// installation.
    pub fn new(healing: Healing, component: impl Into<Name>, path: impl Into<PathBuf>) -> Self {
        Self::of(Ok(healing), component, path)
    }

    /// Like [`new`](Self::new), for an engine that may have failed to start.
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
    /// Sets the validator: usually the application's own parser. It is called on a blocking thread,
    /// and may panic.
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

    /// Sets whether the validator's message is recorded unchanged, up to 256 bytes: it may show
    /// lines of the file, and so a password, and goes to the journal, the page, the log and the
    /// alerts. Default: no. Then its first line is kept, with possible values masked: text in
    /// quotes or behind `=`, numbers other than those of lines and columns, and words of the file's
    /// values.
    pub fn verbatim(mut self, on: bool) -> Self {
        self.verbatim = on;
        self
    }

    /// Sets the registry of the [`FileMetrics`]. Default: that of the handle if made by one, else a
    /// private one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Sets a hook called with the parsed content after each restore; a panic in it fails the
    /// attempt. Default: none.
    pub fn on_restored(mut self, hook: impl Fn(T) + Send + Sync + 'static) -> Self {
        let hook = self.parsed(hook);
        self.spec.on_restored.push(hook);
        self
    }

    /// Sets a hook called with the parsed content after an external change to other good content.
    /// Default: none.
    pub fn on_changed(mut self, hook: impl Fn(T) + Send + Sync + 'static) -> Self {
        let hook = self.parsed(hook);
        self.spec.on_changed.push(hook);
        self
    }

    /// Keeps a copy of the last good content at `path`, so that it outlives the process: a file
    /// that is bad or missing when the service starts is then restored from it, with the owner and
    /// the mode of the copy, which are those of the file without write access for others. The
    /// directory must exist. Default: in memory only.
    pub fn copy_at(mut self, path: impl Into<PathBuf>) -> Self {
        self.spec.copy = Some(path.into());
        self
    }

    /// Sets the maximum size of guarded content, in bytes; it is kept in memory.
    /// Default: 16 MiB.
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.spec.max_bytes = max_bytes;
        self
    }

    /// Guards the file as root even if another user may write in its directory, or in one on the
    /// path to it. That user then controls the file, and may undo each restore; the guard's
    /// remaining protection is in the [threat model](crate::healing::threat_model). Default:
    /// [`install`](GuardFile::install) refuses such a place. No effect for a process that is not
    /// root.
    pub fn allow_shared_directory(mut self) -> Self {
        self.spec.sharing.allowed = true;
        self
    }

    /// Trusts another user, by numeric id, with the path to the file like this one and root:
    /// follows its links, and accepts its folders. For a file that another account deploys, as
    /// `current -> releases/7`; that user then decides what this process reads, within its
    /// permissions. Default: none, and a link of another user is refused.
    pub fn trust_user(mut self, user: u32) -> Self {
        self.spec.sharing.trusted = Some(user);
        self
    }

    /// Sets the time limit of the file system, the validator and the hooks together, for each
    /// reading and restore, in real time. Work that takes longer continues by itself: detection
    /// fails until it has ended, so that the component is unknown, then degraded, and nothing waits
    /// for it. Default: 10 s.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.spec.deadline = deadline;
        self
    }

    /// Sets the severity of a corrupt or missing file. Default: [`Severity::Error`].
    pub fn severity(mut self, severity: Severity) -> Self {
        self.spec.severity = severity;
        self
    }

    /// Sets how long a restored file must stay good to count as healed.
    /// Default: the policy's.
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

    /// Sets the wait between the first check that finds a fault and the second, which must find the
    /// same. Default: 200 ms.
    ///
    /// A file that is being written is bad for a moment: too short, or empty. The end of the
    /// writing distinguishes that from a fault better than time. On Linux the kernel reports when a
    /// writer has closed the file, and nothing is reported before; a file that is renamed into
    /// place, or removed, is complete. So the wait only has to cover writers that write in several
    /// steps, such as a script that removes the file and recreates it: increase it if those take
    /// longer. Content that changes between the checks, or before the restore, is checked again. A
    /// writer that keeps the file open, or keeps changing it, is waited for 5 s, but no longer than
    /// half of the policy's `timeout`.
    ///
    /// If the end of writing is not reported (on systems other than Linux, in a directory that
    /// cannot be watched) the second check comes after [`every`](GuardFile::every).
    pub fn confirm_after(mut self, wait: Duration) -> Self {
        self.spec.confirm_after = wait;
        self
    }

    /// Reads the file and guards it from now on. Blocks until the file is read or its
    /// [`deadline`](GuardFile::deadline) is over.
    ///
    /// Good content found now is the one to restore, unless a copy has other good content: then the
    /// copy is, until the first detection run finds the file at rest. The file may be being
    /// written, and the validator may accept a partial one.
    ///
    /// # Errors
    /// There is nothing good to restore: the file is missing, bad or unreadable and there is no
    /// usable copy of it; another user may change the path to it; it is not read in time; or an
    /// engine of this name is already registered.
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

/// Makes a path absolute, so that it includes a directory.
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
