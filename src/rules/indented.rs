//! Quoted scalars whose further lines are indented less than YAML demands. Prometheus' parser ignores
//! their indentation, which is no part of the scalar.

use std::borrow::Cow;

/// The parser's message about such a scalar.
pub(super) const UNINDENTED: &str = "invalid indentation in quoted scalar";

/// The limit of such scalars in a file, since each makes the parser begin again.
const MOST: usize = 200;

/// The limit of blanks added before a line.
const WIDEST: usize = 200;

/// The limit of blanks added to a file: as many as it may have characters.
const MOST_ADDED: usize = 4 * 1024 * 1024;

/// A text with blanks added before some lines.
pub(super) struct Indented<'a> {
    pub(super) text: Cow<'a, str>,
    /// Where blanks were added, in characters and in order, and how many up to there.
    added: Vec<(usize, usize)>,
    /// The offset of each scalar whose lines are indented, in characters.
    scalars: Vec<usize>,
}

impl<'a> Indented<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(source),
            added: Vec::new(),
            scalars: Vec::new(),
        }
    }

    /// Indents the further lines of the quoted scalar that begins at an offset, in characters, by as
    /// much as the scalar. False if that is done already, or there are too many.
    pub(super) fn indent(&mut self, start: usize) -> bool {
        if self.scalars.last().is_some_and(|last| *last >= start) || self.scalars.len() == MOST {
            return false;
        }
        let Some((at, quote)) = self.text.char_indices().nth(start) else {
            return false;
        };
        self.scalars.push(start);
        let (before, scalar) = self.text.split_at(at);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let width = line.chars().count().min(WIDEST);
        let mut text = before.to_owned();
        let mut offset = start;
        let mut chars = scalar.chars().peekable();
        let mut is_escaped = true;
        while let Some(c) = chars.next() {
            text.push(c);
            offset += 1;
            if c == '\n' {
                text.extend(std::iter::repeat_n(' ', width));
                let total = self.total() + width;
                if total > MOST_ADDED {
                    return false;
                }
                self.added.push((offset, total));
                offset += width;
            }
            // A doubled single quote stands for one.
            if c == quote && !is_escaped && (quote == '"' || chars.peek() != Some(&quote)) {
                break;
            }
            is_escaped = !is_escaped && (c == '\\' && quote == '"' || c == quote);
        }
        text.extend(chars);
        self.text = Cow::Owned(text);
        true
    }

    /// The offset of a character in the original text.
    pub(super) fn original(&self, offset: usize) -> usize {
        let before = self.added.partition_point(|(at, _)| *at < offset);
        let last = before.checked_sub(1).and_then(|at| self.added.get(at));
        offset - last.map_or(0, |(_, total)| *total)
    }

    fn total(&self) -> usize {
        self.added.last().map_or(0, |(_, total)| *total)
    }
}
