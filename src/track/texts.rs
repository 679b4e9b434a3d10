use std::fmt;
use std::str::from_utf8;

/// The bytes of text that are stored without an allocation: enough for a provider, a model with its
/// path and an operation.
const ROOM: usize = 112;

/// The texts that identify a piece of work, stored for its duration. Up to 112 bytes together need
/// no allocation, since each piece of work has a tracker.
pub struct Texts<const N: usize>(Kept<N>);

enum Kept<const N: usize> {
    Short {
        /// The end of each text.
        ends: [u8; N],
        bytes: [u8; ROOM],
    },
    Long([Box<str>; N]),
}

impl<const N: usize> Texts<N> {
    /// Copies the texts.
    #[must_use]
    pub fn new(texts: [&str; N]) -> Self {
        let (mut ends, mut bytes) = ([0; N], [0; ROOM]);
        let mut end = 0;
        for (text, place) in texts.iter().zip(&mut ends) {
            let start = end;
            end = start + text.len();
            match (bytes.get_mut(start..end), u8::try_from(end)) {
                (Some(there), Ok(end)) => {
                    there.copy_from_slice(text.as_bytes());
                    *place = end;
                }
                _ => return Self(Kept::Long(texts.map(Box::from))),
            }
        }
        Self(Kept::Short { ends, bytes })
    }

    /// Returns the texts.
    #[must_use]
    pub fn get(&self) -> [&str; N] {
        match &self.0 {
            Kept::Long(texts) => texts.each_ref().map(|text| &**text),
            Kept::Short { ends, bytes } => {
                let mut start = 0;
                ends.map(|end| {
                    let end = usize::from(end);
                    let text = bytes.get(start..end).map(from_utf8);
                    start = end;
                    // Valid, since it was copied from valid text.
                    text.and_then(Result::ok).unwrap_or_default()
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
        for length in [0, 1, 30, ROOM / 3, ROOM / 3 + 1, ROOM, 300, 70_000] {
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
            Texts::new(["x".repeat(ROOM).as_str()]).0,
            Kept::Short { .. }
        ));
        assert!(matches!(
            Texts::new(["x".repeat(ROOM).as_str(), "y"]).0,
            Kept::Long(_)
        ));
    }
}
