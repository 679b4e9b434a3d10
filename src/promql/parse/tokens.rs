//! Tokens of an expression with their positions, which the parser does not provide for errors.

use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word,
    /// A number or a duration.
    Number,
    Text,
    Symbol,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

const PAIRS: [&str; 8] = ["==", "!=", "<=", ">=", "=~", "!~", "</", ">/"];

/// Splits an expression, without blanks and comments. Anything unknown is a symbol.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    // In brackets a colon separates range and step; elsewhere it belongs to a name.
    let mut brackets = 0_usize;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = token(rest, brackets > 0);
        let span = at..at + length;
        at = span.end;
        let Some(kind) = kind else {
            continue;
        };
        match &text[span.clone()] {
            "[" => brackets += 1,
            "]" => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        found.push(Token { kind, span });
    }
    found
}

/// The kind, if known, and length of the token at the start of a text that is not empty.
fn token(text: &str, in_brackets: bool) -> (Option<Kind>, usize) {
    let while_is = |is: &dyn Fn(char) -> bool| text.find(|c| !is(c)).unwrap_or(text.len());
    let first = text.chars().next().unwrap_or(' ');
    let second = text[first.len_utf8()..].chars().next().unwrap_or(' ');
    match first {
        _ if first.is_whitespace() => (None, while_is(&char::is_whitespace)),
        '#' => (None, while_is(&|c| c != '\n')),
        '"' | '\'' | '`' => (Some(Kind::Text), quoted(text, first)),
        '0'..='9' => (Some(Kind::Number), number(text)),
        '.' if second.is_ascii_digit() => (Some(Kind::Number), number(text)),
        _ if first.is_alphabetic() || first == '_' || (first == ':' && !in_brackets) => {
            let in_name = |c: char| c.is_alphanumeric() || c == '_' || (c == ':' && !in_brackets);
            (Some(Kind::Word), while_is(&in_name))
        }
        _ if PAIRS.iter().any(|pair| text.starts_with(pair)) => (Some(Kind::Symbol), 2),
        _ => (Some(Kind::Symbol), first.len_utf8()),
    }
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped && quote != '`';
    }
    text.len()
}

fn number(text: &str) -> usize {
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let exponent = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !hexadecimal;
        if !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || exponent) {
            return at;
        }
        before = c;
    }
    text.len()
}

/// The maximum depth of an expression's tree: each bracket is a level, and each of several
/// operators in a row is one level above the previous.
pub(super) fn depth(text: &str, tokens: &[Token]) -> usize {
    // For each open bracket: the operators directly in it, and the depth of its deepest part.
    let mut open = vec![(0_usize, 0_usize)];
    let close = |open: &mut Vec<(usize, usize)>| {
        if let Some((own, below)) = open.pop()
            && let Some(above) = open.last_mut()
        {
            above.1 = above.1.max(own + below + 1);
        }
    };
    for token in tokens {
        match &text[token.span.clone()] {
            "(" | "[" | "{" => open.push((0, 0)),
            ")" | "]" | "}" if open.len() > 1 => close(&mut open),
            word => {
                let operator = token.kind == Kind::Symbol && !matches!(word, "," | "@" | ":");
                let set = ["and", "or", "unless", "atan2"];
                let named = token.kind == Kind::Word
                    && set.iter().any(|name| word.eq_ignore_ascii_case(name));
                if let Some(last) = open.last_mut() {
                    last.0 += usize::from(operator || named);
                }
            }
        }
    }
    while open.len() > 1 {
        close(&mut open);
    }
    open.first().map_or(0, |(own, below)| own + below)
}
