//! Settings of the healing journal: its location and durability.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;
use super::faults::Faults;
use super::range::check_range;
use super::settings::settings;

const BYTES: RangeInclusive<u64> = 4 << 10..=1 << 30;

settings! {
    /// `[journal]`: the record of every decision and action of the healing engine.
    ///
    /// ```
    /// use selfheal::config::{Fsync, Journal};
    ///
    /// let journal = Journal::new().path("/var/lib/shop/healing").fsync(Fsync::Always);
    /// assert_eq!(journal.keep_files, 4);
    /// ```
    #[derive(Eq)]
    #[non_exhaustive]
    pub struct Journal {
        /// The folder of the journal files. Default: none: the newest records are kept in memory
        /// until the process ends.
        pub path(): Option<PathBuf>,
        /// Whether a process that runs as root may keep the journal in or below a folder that
        /// another user can write to. Default: `false`, and the start is refused.
        pub allow_shared_directory: bool,
        /// When records are synced to disk. Default: `on_intent`.
        pub fsync: Fsync,
        /// The size at which a file is rotated, 4 KiB to 1 GiB. Default: 8 MiB.
        pub max_bytes: u64 = 8 << 20,
        /// The age at which a file is rotated, at least 1 min. Default: 24 h.
        #[serde(with = "duration")]
        pub max_age: Duration = Duration::from_secs(86_400),
        /// The number of files kept, including the current one; 2 to 1000. Default: 4.
        pub keep_files: u32 = 4,
        /// The number of newest records kept in memory, at most 1 000 000. Default: 2048.
        pub memory: u32 = 2048,
    }
}

/// When the records of the journal are synced to disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fsync {
    /// After each write: a power failure loses only the write in progress.
    Always,
    /// Before each action: a power failure may lose decisions, never the record of an action.
    #[default]
    OnIntent,
    /// Never: a crash of the process loses nothing, a power failure may lose the last seconds.
    Never,
}

impl Journal {
    /// Keeps the journal in files in this folder. Default: in memory only.
    #[must_use]
    pub fn path(mut self, folder: impl Into<PathBuf>) -> Self {
        self.path = Some(folder.into());
        self
    }

    /// Reports every fault, with the path of its field.
    pub fn validate(&self) -> Result<(), Faults> {
        let mut faults = Faults::new();
        self.check(&mut faults);
        faults.into_result()
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        if self
            .path
            .as_ref()
            .is_some_and(|path| path.as_os_str().is_empty())
        {
            faults.add("path", "it is empty", "name a folder, or leave it out");
        }
        let hint = "give the size of a file in bytes";
        check_range("max_bytes", &self.max_bytes, &BYTES, hint, faults);
        if self.max_age < Duration::from_secs(60) {
            faults.add(
                "max_age",
                "it is less than a minute",
                "give at least \"1m\"",
            );
        }
        let hint = "keep at least the last two files";
        check_range("keep_files", &self.keep_files, &(2..=1_000), hint, faults);
        if self.memory > 1_000_000 {
            let problem = format!("{} is more than 1000000", self.memory);
            faults.add("memory", problem, "increase the size of the files instead");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_reported() {
        assert_eq!(Journal::new().validate(), Ok(()));
        let bad = Journal::new()
            .path("")
            .max_bytes(1)
            .max_age(Duration::ZERO)
            .keep_files(1);
        let faults = bad.memory(u32::MAX).validate().unwrap_err();
        let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(
            paths,
            ["path", "max_bytes", "max_age", "keep_files", "memory"]
        );
    }

    #[test]
    fn reads_what_it_writes() {
        let journal = Journal::new().path("a").fsync(Fsync::Never);
        let text = serde_json::to_string(&journal).unwrap();
        assert_eq!(serde_json::from_str::<Journal>(&text).unwrap(), journal);
    }
}
