//! Secrets: passwords and tokens that are never shown.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::faults::quote;
use super::quotes;

/// The size limit of a secret's file, against mistakes such as `/dev/zero`.
const MAX_BYTES: u64 = 64 * 1024;

/// A password or token.
///
/// In TOML it is the text itself, or a reference: `{ env = "SCRAPE_PASSWORD" }` or `{ file =
/// "/run/secrets/scrape" }`. References are read once, when the configuration is loaded or checked;
/// one line break at the end of a file is removed.
///
/// `Debug` and `Serialize` never show the text. Serialized, it names the variable or the file; a
/// secret given as text becomes `{ redacted = true }`, which is read back as a secret that matches
/// nothing and that [`Config::checked`](super::Config::checked) refuses. The memory is not wiped
/// when the secret is dropped.
///
/// ```
/// use selfheal::config::Secret;
///
/// let secret = Secret::new("correct horse");
/// assert!(secret.matches(b"correct horse"));
/// assert!(!secret.matches(b"battery staple"));
/// assert_eq!(format!("{secret:?}"), "Secret(redacted)");
/// ```
#[derive(Clone)]
pub struct Secret {
    source: Source,
    value: Option<Arc<[u8]>>,
}

#[derive(Clone, PartialEq)]
enum Source {
    Text,
    Env(String),
    File(PathBuf),
    Redacted,
}

/// The serialized form of a secret that is not given as text.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted: Option<bool>,
}

impl Secret {
    /// Creates a secret from its text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            source: Source::Text,
            value: Some(Arc::from(text.into().into_bytes())),
        }
    }

    /// Creates a secret from an environment variable, read when the configuration is checked.
    #[must_use]
    pub fn from_env(variable: impl Into<String>) -> Self {
        Self::unread(Source::Env(variable.into()))
    }

    /// Creates a secret from a file, read when the configuration is checked.
    #[must_use]
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        Self::unread(Source::File(path.into()))
    }

    fn unread(source: Source) -> Self {
        Self {
            source,
            value: None,
        }
    }

    /// Whether `given` equals the secret; `false` until the secret is resolved.
    ///
    /// The time depends only on the length of `given`, so it reveals neither the length of the
    /// secret nor how much of a guess is right.
    #[must_use]
    pub fn matches(&self, given: &[u8]) -> bool {
        self.matches_by(given, same)
    }

    pub(super) fn matches_by(&self, given: &[u8], same: impl FnOnce(&[u8], &[u8]) -> bool) -> bool {
        match self.value.as_deref() {
            Some(secret) if !secret.is_empty() => same(secret, given),
            _ => false,
        }
    }

    pub(super) fn is_redacted(&self) -> bool {
        self.source == Source::Redacted
    }

    /// The text, for the checks of its section.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }

    /// Reads the variable or the file; a resolved secret is left unchanged.
    pub(super) fn resolve(
        &mut self,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<(), (String, &'static str)> {
        if self.value.is_some() {
            return Ok(());
        }
        let value = match &self.source {
            Source::Text => None,
            Source::Redacted => {
                return Err((
                    "the secret is redacted, as in a configuration that was printed".to_owned(),
                    "give its text, `{ env = \"…\" }` or `{ file = \"…\" }`",
                ));
            }
            Source::Env(name) => match variable(name) {
                Some(value) if quotes::is_quoted(value.as_encoded_bytes()) => {
                    let variable = quote(name);
                    let problem =
                        format!("the environment variable {variable}: {}", quotes::PROBLEM);
                    return Err((problem, quotes::HINT));
                }
                Some(value) => Some(value.into_encoded_bytes()),
                None => {
                    return Err((
                        format!("the environment variable {} is not set", quote(name)),
                        "set it, or name another",
                    ));
                }
            },
            Source::File(path) => Some(read(path).map_err(|error| {
                (
                    format!("cannot read {}: {error}", quote(&path.to_string_lossy())),
                    "check the path and the permissions of the file",
                )
            })?),
        };
        self.value = value.map(Arc::from);
        Ok(())
    }
}

fn read(path: &PathBuf) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if read as u64 > MAX_BYTES {
        let problem = format!("it is longer than {MAX_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Ok(bytes)
}

/// Compares in a time that depends only on the length of `given`.
pub(super) fn same(secret: &[u8], given: &[u8]) -> bool {
    // Opaque to the optimizer, which could otherwise end the loop at the first difference.
    same_by(secret, given, black_box)
}

/// Compares by calling `step` for each byte of `given` with the differences so far.
pub(super) fn same_by(secret: &[u8], given: &[u8], mut step: impl FnMut(u8) -> u8) -> bool {
    let mut differences = u8::from(secret.len() != given.len());
    for (byte, known) in given.iter().zip(secret.iter().cycle()) {
        differences = step(differences | (byte ^ known));
    }
    differences == 0
}

/// An unset secret.
impl Default for Secret {
    fn default() -> Self {
        Self::unread(Source::Redacted)
    }
}

/// Takes as long as [`Secret::matches`].
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let values = match (&self.value, &other.value) {
            (Some(mine), Some(theirs)) => same(mine, theirs),
            (None, None) => true,
            _ => false,
        };
        values && self.source == other.source
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Text | Source::Redacted => f.write_str("Secret(redacted)"),
            Source::Env(name) => write!(f, "Secret(env {name:?})"),
            Source::File(path) => write!(f, "Secret(file {path:?})"),
        }
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut place = Place::default();
        match &self.source {
            Source::Text | Source::Redacted => place.redacted = Some(true),
            Source::Env(name) => place.env = Some(name.clone()),
            Source::File(path) => place.file = Some(path.clone()),
        }
        place.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

/// Rejects a number without showing it.
const NOT_TEXT: &str = "a secret is text; write it in quotes";

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, { env = \"…\" } or { file = \"…\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::new(text))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Secret, E> {
        Err(E::custom(NOT_TEXT))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Secret, E> {
        Err(E::custom(NOT_TEXT))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Secret, E> {
        Err(E::custom(NOT_TEXT))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secret, E> {
        Err(E::custom(NOT_TEXT))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
        match Place::deserialize(MapAccessDeserializer::new(map))? {
            Place {
                env: Some(name),
                file: None,
                ..
            } => Ok(Secret::from_env(name)),
            Place {
                env: None,
                file: Some(path),
                ..
            } => Ok(Secret::from_file(path)),
            Place {
                env: None,
                file: None,
                redacted: Some(true),
            } => Ok(Secret::default()),
            _ => Err(de::Error::custom(
                "it is not clear where the secret is; give either `env` or `file`",
            )),
        }
    }
}
