//! Text of bounded length.

use std::fmt;
use std::sync::Arc;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Printable;

/// A cheaply cloned string of at most `MAX` bytes.
///
/// Text from outside (an error message, a panic payload, a file name) is converted to this type
/// before it is kept. Longer text is truncated at a character boundary and ends in `…`.
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
    /// Copies `text`, truncated to `MAX` bytes.
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

    /// Returns the text.
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

/// As [`Printable`], for logs and terminals. [`as_str`](BoundedStr::as_str) returns the text
/// unescaped.
impl<const MAX: usize> fmt::Display for BoundedStr<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Printable(self.as_str()), f)
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

/// Serializes as text.
impl<const MAX: usize> Serialize for BoundedStr<MAX> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// Deserializes from text, truncated as by [`BoundedStr::new`].
impl<'de, const MAX: usize> Deserialize<'de> for BoundedStr<MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextVisitor)
    }
}

struct TextVisitor<const MAX: usize>;

impl<const MAX: usize> Visitor<'_> for TextVisitor<MAX> {
    type Value = BoundedStr<MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(BoundedStr::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_cut_when_read_as_well() {
        let read: BoundedStr<8> = serde_json::from_str("\"a long message\"").unwrap();
        assert_eq!(read, BoundedStr::new("a long message"));
        assert_eq!(serde_json::to_string(&read).unwrap(), "\"a lon…\"");
    }

    #[test]
    fn it_is_displayed_for_a_log_and_kept_as_it_is() {
        let text: BoundedStr = BoundedStr::new("a\n\u{1b}b");
        assert_eq!(text.to_string(), "a\\n\\u{1b}b");
        assert_eq!(text.as_str(), "a\n\u{1b}b");
    }

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
