//! Patterns for paths, routes and names.

/// A text with stars, each of which matches any text, including slashes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Pattern {
    Exact(Box<str>),
    Prefix(Box<str>),
    /// The literal parts between the stars; at least two.
    Stars(Box<[Box<str>]>),
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        match text.split_once('*') {
            None => Self::Exact(text.into()),
            Some((start, "")) => Self::Prefix(start.into()),
            Some(_) => Self::Stars(text.split('*').map(Into::into).collect()),
        }
    }

    #[inline]
    pub(crate) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(whole) => **whole == *path,
            Self::Prefix(start) => path.starts_with(&**start),
            Self::Stars(parts) => stars(parts, path),
        }
    }
}

/// Whether `path` contains the parts in order with anything between them. Matching each part at its
/// first occurrence never misses a match, so there is no backtracking.
fn stars(parts: &[Box<str>], path: &str) -> bool {
    let [first, middle @ .., last] = parts else {
        return false;
    };
    let Some(mut rest) = path.strip_prefix(&**first) else {
        return false;
    };
    for part in middle {
        let Some(at) = rest.find(&**part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(&**last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exact_prefix_and_stars() {
        for (pattern, path, matches) in [
            ("/health", "/health", true),
            ("/health", "/health/", false),
            ("/health", "/healthy", false),
            ("/internal/*", "/internal/", true),
            ("/internal/*", "/internal/a/b", true),
            ("/internal/*", "/internal", false),
            ("/*/health", "/a/health", true),
            ("/*/health", "/a/b/health", true),
            ("/*/health", "/health", false),
            ("/a*b*c", "/abc", true),
            ("/a*b*c", "/a1b2b3c", true),
            ("/a*b*c", "/acb", false),
            ("/a*a", "/a", false),
            ("*", "", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(path),
                matches,
                "{pattern} {path}"
            );
        }
    }

    /// A slow and simple reference matcher.
    fn reference(pattern: &[u8], path: &[u8]) -> bool {
        match (pattern.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => (0..=path.len()).any(|skip| reference(rest, &path[skip..])),
            (Some((a, pattern)), Some((b, path))) => a == b && reference(pattern, path),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_obvious_matcher(pattern in "[/ab*]{0,8}", path in "[/ab]{0,10}") {
            prop_assert_eq!(
                Pattern::new(&pattern).matches(&path),
                reference(pattern.as_bytes(), path.as_bytes()),
                "{} {}", pattern, path
            );
        }
    }
}
