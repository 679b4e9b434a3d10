use std::error::Error;
use std::fmt;

use crate::healing::core::ShortText;
use crate::util::Printable;

/// Whether a retry can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HealErrorKind {
    /// It may work next time: the step goes on with its next attempt.
    Retry,
    /// It will never work: the plan goes on with its next step.
    Permanent,
}

/// The error of an engine call.
///
/// Every error converts into a retryable one by `?`. For that reason this type does not implement
/// [`std::error::Error`] itself; [`into_source`](Self::into_source) returns the original error.
///
/// ```
/// use selfheal::healing::HealError;
/// use selfheal::healing::engine::HealErrorKind;
///
/// fn port(text: &str) -> Result<u16, HealError> {
///     if text.is_empty() {
///         return Err(HealError::permanent("no port is configured"));
///     }
///     Ok(text.parse()?)
/// }
///
/// assert_eq!(port("").unwrap_err().kind(), HealErrorKind::Permanent);
/// let parse = port("x").unwrap_err();
/// assert_eq!(parse.kind(), HealErrorKind::Retry);
/// assert!(parse.source().is_some());
/// ```
pub struct HealError {
    kind: HealErrorKind,
    message: ShortText,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl HealError {
    /// An error that a retry may avoid. The message is kept up to 256 bytes.
    #[must_use]
    pub fn retry(message: impl Into<ShortText>) -> Self {
        Self::new(HealErrorKind::Retry, message)
    }

    /// An error that no retry avoids. The message is kept up to 256 bytes.
    #[must_use]
    pub fn permanent(message: impl Into<ShortText>) -> Self {
        Self::new(HealErrorKind::Permanent, message)
    }

    fn new(kind: HealErrorKind, message: impl Into<ShortText>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Sets the cause of this error. Default: none.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Makes the error permanent.
    #[must_use]
    pub fn give_up(mut self) -> Self {
        self.kind = HealErrorKind::Permanent;
        self
    }

    /// Whether a retry can help.
    #[must_use]
    pub fn kind(&self) -> HealErrorKind {
        self.kind
    }

    /// The cause of this error.
    #[must_use]
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }

    /// The cause of this error, by value.
    #[must_use]
    pub fn into_source(self) -> Option<Box<dyn Error + Send + Sync>> {
        self.source
    }

    /// The message with its causes, for records: at most 256 bytes.
    #[must_use]
    pub fn text(&self) -> ShortText {
        ShortText::from(self.to_string())
    }
}

/// Errors of an action are retryable unless they say otherwise.
impl<E: Error + Send + Sync + 'static> From<E> for HealError {
    fn from(error: E) -> Self {
        Self {
            kind: HealErrorKind::Retry,
            message: ShortText::from(error.to_string()),
            source: Some(Box::new(error)),
        }
    }
}

/// The message, then each cause that says something new, separated by colons.
impl fmt::Display for HealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// A longer chain is taken for a loop.
        const CAUSES: usize = 16;
        write!(f, "{}", self.message)?;
        let mut said = self.message.as_str().to_owned();
        let mut cause = self.source.as_deref().map(|error| error as &dyn Error);
        for _ in 0..CAUSES {
            let Some(error) = cause else { break };
            let text = error.to_string();
            if text != said {
                write!(f, ": {}", Printable(&text))?;
                said = text;
            }
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for HealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("source", &self.source)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_are_reported_once_each() {
        let inner = std::io::Error::other("inner");
        assert_eq!(HealError::from(Outer(inner)).to_string(), "outer: inner");
        let named = HealError::permanent("cannot restart").caused_by("no such unit");
        assert_eq!(named.to_string(), "cannot restart: no such unit");
        assert_eq!(named.into_source().unwrap().to_string(), "no such unit");
    }

    #[test]
    fn a_long_message_is_cut() {
        let error = HealError::retry("x".repeat(10_000)).caused_by("y".repeat(10_000));
        assert!(error.text().as_str().len() <= 256);
    }
}
