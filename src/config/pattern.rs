//! Which request paths are meant.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::faults::quote;

/// A path, or all paths below one: `/health` or `/internal/*`.
///
/// `/internal/*` means every path that starts with `/internal/`, and not `/internal` itself.
/// Paths are compared as they stand in the request, without the query.
///
/// ```
/// use selfheal::config::PathPattern;
///
/// let below = PathPattern::new("/internal/*");
/// assert!(below.matches("/internal/debug/heap"));
/// assert!(!below.matches("/internals"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PathPattern(String);

impl PathPattern {
    /// Takes any text; what is no pattern is told when the configuration is checked, and
    /// matches no path that starts with `/`, or none but itself.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern means this path.
    #[inline]
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) if start.ends_with('/') => path.starts_with(start),
            _ => path == self.0,
        }
    }

    /// What is wrong with the pattern, and what to do about it.
    pub(super) fn problem(&self) -> Option<(String, &'static str)> {
        const MAX: usize = 1_024;
        let shown = quote(&self.0);
        let stem = self.0.strip_suffix("/*").unwrap_or(&self.0);
        if self.0.len() > MAX {
            let problem = format!("{} bytes are more than {MAX}", self.0.len());
            Some((problem, "give a shorter pattern"))
        } else if !self.0.starts_with('/') {
            let problem = format!("{shown} does not start with `/`");
            Some((problem, "write a path such as `/health` or `/internal/*`"))
        } else if stem.contains('*') {
            let problem = format!("{shown} has a `*` that is not a last part of its own");
            Some((
                problem,
                "write `/internal/*` for all paths below `/internal/`",
            ))
        } else if stem.contains(['?', '#']) || stem.chars().any(char::is_whitespace) {
            let problem = format!("{shown} holds more than a path");
            Some((problem, "leave out the query and all blanks"))
        } else {
            None
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for PathPattern {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for PathPattern {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_and_prefix() {
        for (pattern, path, matches) in [
            ("/health", "/health", true),
            ("/health", "/health/", false),
            ("/health", "/healthy", false),
            ("/internal/*", "/internal/", true),
            ("/internal/*", "/internal/a/b", true),
            ("/internal/*", "/internal", false),
            ("/internal/*", "/internals/x", false),
            ("/*", "/anything", true),
        ] {
            assert_eq!(
                PathPattern::new(pattern).matches(path),
                matches,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn what_is_no_pattern() {
        for text in ["", "health", "/a*", "/*/b", "/a/**", "/a?b=c", "/a b", "*"] {
            let pattern = PathPattern::new(text);
            assert!(pattern.problem().is_some(), "{text}");
            assert!(!pattern.matches("/a/b"), "{text}");
        }
        for text in ["/", "/a", "/a/*", "/*", "/a/{id}"] {
            assert_eq!(PathPattern::new(text).problem(), None, "{text}");
        }
    }
}
