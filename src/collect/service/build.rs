use crate::registry::{Number, SeriesSnapshot, Value};

/// The value of every info metric.
pub(super) const ONE: Value = Value::Number(Number::U64(1));

/// The version, commit and time of a program's build; made by [`build_info!`](crate::build_info) or
/// by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct BuildInfo {
    version: &'static str,
    commit: &'static str,
    timestamp: &'static str,
}

impl BuildInfo {
    pub(super) const LABELS: [&'static str; 3] = ["version", "commit", "timestamp"];

    /// A build of this version. Commit and time are `unknown` until they are set.
    pub const fn new(version: &'static str) -> Self {
        Self {
            version,
            commit: "unknown",
            timestamp: "unknown",
        }
    }

    /// Sets the commit to the first one present. Default: `unknown`.
    pub fn commit(mut self, candidates: &[Option<&'static str>]) -> Self {
        self.commit = first(candidates).unwrap_or(self.commit);
        self
    }

    /// Sets the build time to the first one present, in any notation. Default: `unknown`.
    pub fn timestamp(mut self, candidates: &[Option<&'static str>]) -> Self {
        self.timestamp = first(candidates).unwrap_or(self.timestamp);
        self
    }

    pub(crate) fn version(&self) -> &'static str {
        self.version
    }

    pub(super) fn series(&self) -> SeriesSnapshot {
        let values = [self.version, self.commit, self.timestamp];
        SeriesSnapshot::new(Self::LABELS.into_iter().zip(values), ONE)
    }
}

/// An empty variable, as CI systems set, counts as unset.
fn first(candidates: &[Option<&'static str>]) -> Option<&'static str> {
    let mut set = candidates.iter().flatten();
    set.find(|text| !text.is_empty()).copied()
}

/// The [`BuildInfo`](crate::collect::BuildInfo) of the calling crate, without a build script: the
/// version is that of its `Cargo.toml`, the rest comes from the compiler's environment, as far as
/// set there.
///
/// | label | first of these variables |
/// |---|---|
/// | `commit` | `GIT_COMMIT`, `VERGEN_GIT_SHA`, `GITHUB_SHA`, `CI_COMMIT_SHA` |
/// | `timestamp` | `BUILD_TIMESTAMP`, `VERGEN_BUILD_TIMESTAMP`, `SOURCE_DATE_EPOCH` |
///
/// For example `GIT_COMMIT=$(git rev-parse HEAD) cargo build --release`. It is a macro because a
/// function of this crate would see this crate's environment.
///
/// ```
/// let build = selfheal::build_info!();
/// # let _ = build;
/// ```
#[macro_export]
macro_rules! build_info {
    () => {
        $crate::collect::BuildInfo::new(env!("CARGO_PKG_VERSION"))
            .commit(&[
                option_env!("GIT_COMMIT"),
                option_env!("VERGEN_GIT_SHA"),
                option_env!("GITHUB_SHA"),
                option_env!("CI_COMMIT_SHA"),
            ])
            .timestamp(&[
                option_env!("BUILD_TIMESTAMP"),
                option_env!("VERGEN_BUILD_TIMESTAMP"),
                option_env!("SOURCE_DATE_EPOCH"),
            ])
    };
}
