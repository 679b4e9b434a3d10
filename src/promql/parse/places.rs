//! Walks over the tokens of an expression along its tree, to find the position of each node.

use super::tokens::{Kind, Token};

pub(super) struct Places<'a> {
    text: &'a str,
    tokens: &'a [Token],
    next: usize,
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token]) -> Self {
        Self {
            text,
            tokens,
            next: 0,
        }
    }

    fn peek(&self) -> Option<(Kind, &'a str)> {
        let token = self.tokens.get(self.next)?;
        Some((token.kind, self.text.get(token.span.clone())?))
    }

    /// The offset of the next token.
    pub(super) fn here(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.text.len(), |token| token.span.start)
    }

    /// Advances past the next token that satisfies `is`, and returns its offset. Does not move if
    /// there is none.
    pub(super) fn seek(&mut self, is: impl Fn(Kind, &str) -> bool) -> usize {
        let rest = self.tokens.get(self.next..).unwrap_or_default();
        let found = rest
            .iter()
            .position(|token| is(token.kind, &self.text[token.span.clone()]));
        if let Some(found) = found {
            self.next += found + 1;
            return rest[found].span.start;
        }
        self.here()
    }

    /// Advances past a number with an optional sign, and returns its offset.
    pub(super) fn number(&mut self) -> usize {
        let first = self.peek();
        let here = self.here();
        let at = self.seek(|kind, word| {
            kind == Kind::Number
                || word.eq_ignore_ascii_case("inf")
                || word.eq_ignore_ascii_case("nan")
        });
        if first.is_some_and(|(_, word)| word == "-") {
            here
        } else {
            at
        }
    }

    /// Whether the last string has escapes of bytes above 127, which the parser converts to
    /// characters.
    pub(super) fn has_raw_bytes(&self) -> bool {
        let token = self.next.checked_sub(1).and_then(|at| self.tokens.get(at));
        let text = token.and_then(|token| self.text.get(token.span.clone()));
        let Some(text) = text.filter(|text| !text.starts_with('`')) else {
            return false;
        };
        let mut rest = text;
        while let Some((_, escaped)) = rest.split_once('\\') {
            let digits = escaped.as_bytes();
            let is_raw = match digits.first() {
                Some(b'x') => digits.get(1).is_some_and(|digit| *digit >= b'8'),
                Some(b'2'..=b'7') => true,
                _ => false,
            };
            if is_raw {
                return true;
            }
            rest = escaped.get(1..).unwrap_or_default();
        }
        false
    }

    pub(super) fn symbol(&mut self, symbol: &str) -> usize {
        self.seek(|_, word| word == symbol)
    }

    /// Advances past the next token if it is one of these words.
    pub(super) fn skip_word(&mut self, words: &[&str]) -> bool {
        let found = self
            .peek()
            .is_some_and(|(_, next)| words.iter().any(|word| next.eq_ignore_ascii_case(word)));
        self.next += usize::from(found);
        found
    }

    /// Advances past a bracket and its content, if it comes next.
    pub(super) fn skip_brackets(&mut self, open: &str, close: &str) {
        if self.skip_word(&[open]) {
            self.skip_opened(open, close);
        }
    }

    /// Advances past the end of an open bracket.
    pub(super) fn skip_opened(&mut self, open: &str, close: &str) {
        let mut depth = 1_usize;
        while let Some((_, word)) = self.peek() {
            self.next += 1;
            depth += usize::from(word == open);
            depth -= usize::from(word == close);
            if depth == 0 {
                return;
            }
        }
    }

    /// Advances past the suffixes of a selector: range, offset and `@`.
    pub(super) fn skip_suffixes(&mut self) {
        loop {
            let before = self.next;
            self.skip_brackets("[", "]");
            if self.skip_word(&["offset", "@"]) {
                while self.skip_word(&["-", "+"]) {}
                self.next += usize::from(self.peek().is_some());
                self.skip_brackets("(", ")");
            }
            if self.next == before {
                return;
            }
        }
    }

    /// Advances past the modifiers of an operator.
    pub(super) fn skip_modifiers(&mut self) {
        self.skip_word(&["bool"]);
        while self.skip_word(&[
            "on",
            "ignoring",
            "group_left",
            "group_right",
            "fill",
            "fill_left",
            "fill_right",
        ]) {
            self.skip_brackets("(", ")");
        }
    }

    /// Advances past `by (…)` or `without (…)`.
    pub(super) fn skip_grouping(&mut self) {
        if self.skip_word(&["by", "without"]) {
            self.skip_brackets("(", ")");
        }
    }
}
