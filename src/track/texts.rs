use std::fmt;

use arrayvec::ArrayString;

/// The bytes of text that are stored without an allocation: enough for a provider, a model with its
/// path and an operation.
const MOST: usize = 112;

/// The texts that identify a piece of work, stored for its duration. Up to 112 bytes together need
/// no allocation, since each piece of work has a tracker.
pub struct Texts<const N: usize>(Kept<N>);

enum Kept<const N: usize> {
    Short {
        all: ArrayString<MOST>,
        /// The length of each text.
        lengths: [u8; N],
    },
    Long([Box<str>; N]),
}

impl<const N: usize> Texts<N> {
    /// Copies the texts.
    #[must_use]
    #[inline]
    pub fn new(texts: [&str; N]) -> Self {
        let mut all = ArrayString::new();
        if texts.iter().any(|text| all.try_push_str(text).is_err()) {
            return Self(Kept::Long(texts.map(Box::from)));
        }
        // What has been pushed is shorter than the limit.
        let lengths = texts.map(|text| u8::try_from(text.len()).unwrap_or(u8::MAX));
        Self(Kept::Short { all, lengths })
    }

    /// Returns the texts.
    #[must_use]
    #[inline]
    pub fn get(&self) -> [&str; N] {
        match &self.0 {
            Kept::Long(texts) => texts.each_ref().map(|text| &**text),
            Kept::Short { all, lengths } => {
                let mut rest = all.as_str();
                lengths.map(|length| {
                    let split = rest.split_at_checked(length.into());
                    let (text, after) = split.unwrap_or_default();
                    rest = after;
                    text
                })
            }
        }
    }
}

impl<const N: usize> fmt::Debug for Texts<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.get()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were_whatever_their_length() {
        for length in [0, 1, 30, MOST / 3, MOST / 3 + 1, MOST, 300, 70_000] {
            let long = "é".repeat(length / 2) + &"x".repeat(length % 2);
            for texts in [
                ["", &*long, ""],
                [&*long, &*long, &*long],
                ["a", "é", &*long],
            ] {
                assert_eq!(Texts::new(texts).get(), texts);
            }
        }
        assert!(matches!(
            Texts::new(["x".repeat(MOST).as_str()]).0,
            Kept::Short { .. }
        ));
        assert!(matches!(
            Texts::new(["x".repeat(MOST).as_str(), "y"]).0,
            Kept::Long(_)
        ));
    }
}
