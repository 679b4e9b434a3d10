//! Text that cannot grow without bound.

use std::fmt;
use std::sync::Arc;

/// A cheaply cloned string of at most `MAX` bytes.
///
/// What comes from outside (an error message, a panic payload, a file name) passes through
/// this type before it is kept. Longer text is cut at a character boundary and ends in `…`.
///
/// ```
/// use selfheal::util::BoundedStr;
///
/// let short: BoundedStr<8> = BoundedStr::new("a long message");
/// assert_eq!(short.as_str(), "a lon…");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BoundedStr<const MAX: usize = 256>(Arc<str>);

impl<const MAX: usize> BoundedStr<MAX> {
    /// Keeps `text`, cut to `MAX` bytes where it is longer.
    #[must_use]
    pub fn new(text: &str) -> Self {
        const MORE: &str = "…";
        if text.len() <= MAX {
            return Self(Arc::from(text));
        }
        let mut end = MAX.saturating_sub(MORE.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(Arc::from(format!("{}{MORE}", &text[..end])))
    }

    /// The text kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Debug for BoundedStr<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const MAX: usize> fmt::Display for BoundedStr<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<const MAX: usize> From<&str> for BoundedStr<MAX> {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl<const MAX: usize> From<String> for BoundedStr<MAX> {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl<const MAX: usize> AsRef<str> for BoundedStr<MAX> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_a_character_boundary() {
        let cut: BoundedStr<8> = BoundedStr::new("aääääää");
        assert_eq!(cut.as_str(), "aää…");
        assert!(cut.as_str().len() <= 8);
    }

    #[test]
    fn keeps_what_fits_to_the_byte() {
        assert_eq!(BoundedStr::<4>::new("abcd").as_str(), "abcd");
    }
}
