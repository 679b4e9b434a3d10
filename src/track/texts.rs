use std::fmt;
use std::sync::LazyLock;

use crate::util::Known;

/// The texts that identify a piece of work.
///
/// The first 4,096 distinct sets of texts of a process, each of at most 256 bytes, are interned for
/// the life of the process. They are not copied again, and since their address never changes, their
/// series are found as fast as those of constants.
pub struct Texts<const N: usize>(Kept<N>);

enum Kept<const N: usize> {
    Known(&'static [Box<str>]),
    Own([Box<str>; N]),
}

/// The limits of interned sets, and of the bytes of one.
const MAX_SETS: usize = 4_096;
const MAX_BYTES: usize = 256;

/// The number of hash lists: four sets in each at the limit.
const LISTS: usize = 1_024;

/// The texts that identify a piece of work.
type Set = Box<[Box<str>]>;

static KNOWN: LazyLock<Known<Set, LISTS>> = LazyLock::new(|| Known::new(MAX_SETS));

impl<const N: usize> Texts<N> {
    /// Interns or copies the texts.
    #[must_use]
    pub fn new(texts: [&str; N]) -> Self {
        let is = |known: &Set| {
            known.len() == N
                && known
                    .iter()
                    .zip(&texts)
                    .all(|(known, text)| **known == **text)
        };
        match KNOWN.find(texts, is) {
            Some(known) => Self(Kept::Known(known)),
            None => Self::learn(texts, is),
        }
    }

    #[cold]
    fn learn(texts: [&str; N], is: impl Fn(&Set) -> bool) -> Self {
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        let known = (bytes <= MAX_BYTES && KNOWN.has_room()).then(|| {
            KNOWN.learn(texts, is, |_| {
                texts.iter().map(|text| Box::from(*text)).collect()
            })
        });
        match known.flatten() {
            Some(known) => Self(Kept::Known(known)),
            None => Self(Kept::Own(texts.map(Box::from))),
        }
    }

    /// Returns the texts.
    #[must_use]
    #[inline]
    pub fn get(&self) -> [&str; N] {
        match &self.0 {
            Kept::Known(known) => {
                let mut known = known.iter();
                [(); N].map(|()| known.next().map_or("", |text| &**text))
            }
            Kept::Own(texts) => texts.each_ref().map(|text| &**text),
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
        for length in [0, 1, 30, MAX_BYTES / 3, MAX_BYTES, MAX_BYTES + 1, 70_000] {
            let long = "é".repeat(length / 2) + &"x".repeat(length % 2);
            for texts in [
                ["", &*long, ""],
                [&*long, &*long, &*long],
                ["a", "é", &*long],
            ] {
                for _ in 0..2 {
                    assert_eq!(Texts::new(texts).get(), texts);
                }
            }
        }
    }

    #[test]
    fn texts_are_kept_once_and_those_that_are_too_long_not_at_all() {
        let of = |texts: &Texts<2>| match texts.0 {
            Kept::Known(known) => Some(known.as_ptr()),
            Kept::Own(_) => None,
        };
        let [short, long] = [MAX_BYTES - 1, MAX_BYTES].map(|length| "x".repeat(length));
        let first = of(&Texts::new(["y", &short]));
        assert!(first.is_some());
        assert_eq!(of(&Texts::new(["y", &short.clone()])), first);
        assert_ne!(of(&Texts::new([&short, "y"])), first);
        assert_ne!(of(&Texts::new(["", &format!("y{short}")])), first);
        assert_eq!(of(&Texts::new(["y", &long])), None);
    }
}
