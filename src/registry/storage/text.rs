//! The labels of a series as exposed, rendered once and then compared with.

use crate::registry::labels::{self, Labels, Visitor};
use crate::util::escape;

use super::OVERFLOW;
use super::hint::Guess;
use super::key::{self, Keys};

/// The names of a family's labels, as they separate the values.
pub(super) struct Frame {
    /// `name="` of the first label, `",name="` of each further one.
    separators: Box<[Box<str>]>,
    /// Distance from the quote after a value, or from the start, to the quote before the next
    /// value. No name is longer than 200 bytes.
    gaps: Box<[u8]>,
    /// Maximum size of a value in bytes.
    most: u32,
}

/// The rendered labels of a series.
pub(super) struct Rendered {
    pub(super) text: Box<str>,
    /// Whether escapes make the text differ from its raw values.
    pub(super) escaped: bool,
    /// The hash of the values.
    pub(super) hash: u32,
}

impl Frame {
    pub(super) fn new(labels: &[impl AsRef<str>], most: usize) -> Self {
        let separator = |(at, name): (usize, &_)| {
            let before = if at == 0 { "" } else { "\"," };
            format!("{before}{}=\"", AsRef::<str>::as_ref(name)).into_boxed_str()
        };
        let separators: Box<[Box<str>]> = labels.iter().enumerate().map(separator).collect();
        let gap = |separator: &str| u8::try_from(separator.len() - 1).unwrap_or(u8::MAX);
        Self {
            gaps: separators.iter().map(|separator| gap(separator)).collect(),
            separators,
            most: u32::try_from(most).unwrap_or(u32::MAX),
        }
    }

    /// Cuts a value to the limit.
    #[inline]
    fn cut<'v>(&self, value: &'v str) -> &'v str {
        labels::cut(value, self.most as usize)
    }

    /// The hash of a set of label values.
    #[inline]
    pub(super) fn hash<L: Labels>(&self, keys: &Keys, labels: &L) -> u32 {
        let mut hasher = keys.hasher();
        labels.visit(&mut |value| hasher.add(self.cut(value)));
        hasher.finish()
    }

    /// Whether the family has no labels, and so a single series.
    pub(super) fn is_bare(&self) -> bool {
        self.separators.is_empty()
    }

    pub(super) fn render<L: Labels>(&self, keys: &Keys, labels: &L) -> Rendered {
        // One allocation of the exact size for nearly all labels.
        let mut text = String::with_capacity(self.length(labels));
        let mut hasher = keys.hasher();
        let mut escaped = false;
        let mut separators = self.separators.iter();
        labels.visit(&mut |value| {
            // Tuples and arrays cannot have more values than the family has names; a user's own
            // impl can, and the surplus is dropped.
            if let Some(separator) = separators.next() {
                let value = self.cut(value);
                hasher.add(value);
                text.push_str(separator);
                let start = text.len();
                escape::label_value(&mut text, value);
                escaped |= text.len() - start != value.len();
            }
        });
        if !text.is_empty() {
            text.push('"');
        }
        Rendered {
            text: text.into_boxed_str(),
            escaped,
            hash: hasher.finish(),
        }
    }

    /// The length of the text without escapes.
    fn length<L: Labels>(&self, labels: &L) -> usize {
        let mut length = 1;
        let mut separators = self.separators.iter();
        labels.visit(&mut |value| {
            if let Some(separator) = separators.next() {
                length += separator.len() + self.cut(value).len();
            }
        });
        length
    }

    /// The text of the overflow series.
    pub(super) fn render_overflow(&self) -> Box<str> {
        let mut text = String::new();
        for separator in &self.separators {
            text.push_str(separator);
            text.push_str(OVERFLOW);
        }
        if !text.is_empty() {
            text.push('"');
        }
        text.into_boxed_str()
    }

    /// Whether `text` represents `labels`, for a text without escapes.
    ///
    /// Each value must be between two quotes, and the last one at the end. Such a text has two
    /// quotes for each label and no others, so if as many values as there are labels follow one
    /// another, they are in the right places.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "it stands in the middle of every lookup"
    )]
    pub(super) fn is_of<L: Labels>(&self, text: &str, labels: &L, guess: &Guess) -> bool {
        let mut walk = Walk {
            text: text.as_bytes(),
            at: 0,
            frame: self,
            guess,
            place: 0,
        };
        labels.accept(&mut walk) && walk.at + 1 >= text.len()
    }

    /// Whether `text` represents `labels`, for a text with escapes.
    #[cold]
    #[inline(never)]
    pub(super) fn is_escaped_of<L: Labels>(&self, text: &str, labels: &L) -> bool {
        let mut rest = Some(text.as_bytes());
        let mut separators = self.separators.iter();
        labels.visit(&mut |value| {
            if let Some(separator) = separators.next() {
                rest = rest
                    .and_then(|rest| rest.strip_prefix(separator.as_bytes()))
                    .and_then(|rest| escape::strip_label_value(rest, self.cut(value).as_bytes()));
            }
        });
        rest == Some(b"\"")
    }
}

/// Compares values with a text without escapes.
struct Walk<'f> {
    text: &'f [u8],
    /// The position of the quote after the value before, or of the start.
    at: usize,
    frame: &'f Frame,
    guess: &'f Guess,
    /// The number of values before.
    place: usize,
}

impl Visitor for Walk<'_> {
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "it stands in the middle of every lookup"
    )]
    fn text(&mut self, value: &str) -> bool {
        let place = self.place;
        self.place += 1;
        let Some(gap) = self.frame.gaps.get(place) else {
            return true;
        };
        let value = self.frame.cut(value).as_bytes();
        let open = self.at + usize::from(*gap);
        self.at = open + 1 + value.len();
        if let Some(quoted) = self.guess.quoted(place, value)
            && let Some(end) = self.text.get(..=self.at)
            && let Some(end) = end.last_chunk()
        {
            return key::ends_with(*end, quoted, value.len());
        }
        let Some([b'"', rest @ ..]) = self.text.get(open..) else {
            return false;
        };
        // In this way the compiler sees that both have one length.
        let split = rest.split_at_checked(value.len());
        matches!(split, Some((there, [b'"', ..])) if key::equal(there, value))
    }
}
