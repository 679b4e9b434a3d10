//! The loader: merges several sources into one configuration and one list of faults.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;

use super::error::ConfigError;
use super::faults::Faults;
use super::root::Config;
use super::tree::{self, Node};

/// Merges sources, then validates the result as a whole.
///
/// A later TOML text overrides an earlier one, tables key by key. The environment overrides both,
/// whenever it is given.
///
/// ```
/// # #[cfg(feature = "toml")] {
/// use selfheal::config::Loader;
///
/// let config = Loader::new()
///     .toml_str("namespace = 'shop'\nhttp.sample_rate = 0.5")
///     .env([("SELFHEAL_HTTP__SAMPLE_RATE", "0.25")])
///     .load()?;
/// assert_eq!((config.namespace.as_str(), config.http.sample_rate), ("shop", 0.25));
/// # }
/// # Ok::<(), selfheal::config::ConfigError>(())
/// ```
#[must_use = "a loader does nothing until `load`"]
pub struct Loader {
    pub(super) tree: Node,
    /// The last base, for its secrets, which the tree written from it does not hold.
    base: Config,
    faults: Faults,
    variables: Option<BTreeMap<OsString, OsString>>,
    /// The error of the first source that could not be parsed.
    pub(super) failed: Option<ConfigError>,
}

impl Loader {
    /// Creates a loader of the defaults.
    pub fn new() -> Self {
        Self {
            tree: Node::table(),
            base: Config::default(),
            faults: Faults::new(),
            variables: None,
            failed: None,
        }
        .base(Config::default())
    }

    /// Starts over from a configuration made in code; discards the sources given before.
    pub fn base(mut self, config: Config) -> Self {
        match tree::write(&config) {
            Ok(node) => self.tree = node,
            Err(error) => self.faults.push(error.into_fault()),
        }
        self.base = config;
        self
    }

    /// Uses `variables` that start with `SELFHEAL_` as configuration, and all of them for secrets
    /// of the form `{ env = "…" }`; without this call those secrets are read from the environment
    /// of the process.
    ///
    /// Pass [`std::env::vars_os`] for the environment of the process.
    pub fn env<K, V>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        self.variables.get_or_insert_default().extend(variables);
        self
    }

    /// Reads, validates and returns the configuration.
    ///
    /// # Errors
    /// [`ConfigError::Io`] and [`ConfigError::Syntax`] for the first file that cannot be read
    /// or is not TOML; otherwise [`ConfigError::Invalid`] with all faults of all sources.
    pub fn load(self) -> Result<Config, ConfigError> {
        let Self {
            mut tree,
            base,
            mut faults,
            variables,
            failed,
        } = self;
        if let Some(error) = failed {
            return Err(error);
        }
        if let Some(variables) = &variables {
            tree::overlay(&mut tree, variables, &mut faults);
        }
        let mut config: Config = tree::read(&tree, &Config::sample(), &mut faults);
        config.server.restore_secrets(&base.server);
        match &variables {
            Some(variables) => {
                config.resolve(
                    &|name| variables.get(OsStr::new(name)).cloned(),
                    &mut faults,
                );
            }
            None => config.resolve(&|name| env::var_os(name), &mut faults),
        }
        config.check(&mut faults);
        let located = |faults| ConfigError::Invalid(tree.locate(faults));
        faults.into_result().map_err(located)?;
        Ok(config)
    }
}

impl Default for Loader {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows nothing of the sources, since they may hold secrets.
impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader").finish_non_exhaustive()
    }
}
