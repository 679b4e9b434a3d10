//! Splits a template into text and actions, and an action into tokens.

use super::error::TemplateError;

/// A part of a template.
pub(super) enum Part<'a> {
    Text(&'a str),
    /// The text between `{{` and `}}`, and its offset.
    Action(usize, &'a str),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Dot,
    /// Such as `.name`.
    Field(String),
    /// `$` or `$name`, without the sign.
    Variable(String),
    Word(String),
    Text(String),
    Int(i64),
    Float(f64),
    Pipe,
    Open,
    Close,
    Comma,
    Declare,
    Assign,
}

/// A token, its offset, and whether blanks precede it.
pub(super) struct Lexeme {
    pub(super) at: usize,
    pub(super) spaced: bool,
    pub(super) token: Token,
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Splits a template; removes comments, and blanks at `{{-` and `-}}`.
pub(super) fn parts(text: &str) -> Result<Vec<Part<'_>>, TemplateError> {
    let mut parts = Vec::new();
    let mut at = 0;
    let mut trim = false;
    while let Some(open) = text[at..].find("{{") {
        let (open, inside) = (at + open, at + open + 2);
        let dash = text[inside..].starts_with('-')
            && text[inside + 1..].starts_with(|c| BLANKS.contains(&c));
        push(&mut parts, &text[at..open], trim, dash);
        let start = if dash { inside + 1 } else { inside };
        let end = closing(text, start)
            .ok_or_else(|| TemplateError::new(open, "`{{` has no `}}`", "close the action"))?;
        let action = &text[start..end];
        let body = action.strip_suffix('-');
        let body = body.filter(|body| body.ends_with(BLANKS));
        trim = body.is_some();
        let body = body.unwrap_or(action);
        if body.trim_start().starts_with("/*") {
            if !body.trim_end().ends_with("*/") {
                let hint = "a comment is an action of its own, `{{/* … */}}`";
                return Err(TemplateError::new(open, "the comment has no end", hint));
            }
        } else {
            parts.push(Part::Action(start, body));
        }
        at = end + 2;
    }
    push(&mut parts, &text[at..], trim, false);
    Ok(parts)
}

fn push<'a>(parts: &mut Vec<Part<'a>>, text: &'a str, left: bool, right: bool) {
    let text = if left {
        text.trim_start_matches(BLANKS)
    } else {
        text
    };
    let text = if right {
        text.trim_end_matches(BLANKS)
    } else {
        text
    };
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
}

/// Finds the `}}` of the action that begins at `start`, outside of strings and comments.
fn closing(text: &str, start: usize) -> Option<usize> {
    let mut at = start;
    let rest = text[start..].trim_start();
    if rest.starts_with("/*") {
        at = start + text[start..].find("*/")?;
    }
    let mut quote = None;
    let mut chars = text[at..].char_indices();
    while let Some((i, c)) = chars.next() {
        match (quote, c) {
            (Some('"' | '\''), '\\') => {
                chars.next();
            }
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '`' | '\'') => quote = Some(c),
            (None, '}') if text[at + i..].starts_with("}}") => return Some(at + i),
            _ => {}
        }
    }
    None
}

/// The tokens of an action whose text begins at `start` in the template.
pub(super) fn tokens(start: usize, action: &str) -> Result<Vec<Lexeme>, TemplateError> {
    let mut found = Vec::new();
    let mut rest = action;
    loop {
        let trimmed = rest.trim_start_matches(BLANKS);
        let spaced = trimmed.len() < rest.len();
        rest = trimmed;
        let Some(first) = rest.chars().next() else {
            return Ok(found);
        };
        let at = start + action.len() - rest.len();
        let after = &rest[first.len_utf8()..];
        let (token, length) = match first {
            '|' => (Token::Pipe, 1),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            ':' if after.starts_with('=') => (Token::Declare, 2),
            '=' => (Token::Assign, 1),
            '$' => {
                let name = word(after);
                (Token::Variable(name.to_owned()), 1 + name.len())
            }
            '.' if after.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                let name = word(after);
                (Token::Field(name.to_owned()), 1 + name.len())
            }
            '.' if !after.starts_with(|c: char| c.is_ascii_digit()) => (Token::Dot, 1),
            '"' | '`' | '\'' => text(rest, first)
                .ok_or_else(|| TemplateError::new(at, "the text has no end", "close its quote"))?,
            c if c.is_ascii_digit() || "+-.".contains(c) => number(rest).ok_or_else(|| {
                TemplateError::new(
                    at,
                    format!("`{}` is not a number", word(rest)),
                    "correct it",
                )
            })?,
            c if c.is_alphabetic() || c == '_' => {
                let name = word(rest);
                (Token::Word(name.to_owned()), name.len())
            }
            c => {
                let problem = format!("`{}` has no meaning here", c.escape_default());
                return Err(TemplateError::new(
                    at,
                    problem,
                    "remove it, or put text in quotes",
                ));
            }
        };
        found.push(Lexeme { at, spaced, token });
        rest = &rest[length..];
    }
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    &text[..end.unwrap_or(text.len())]
}

/// Parses a string, or a character as its number; also returns the length in bytes.
fn text(rest: &str, quote: char) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        match c {
            c if c == quote => {
                let token = match quote {
                    '\'' => Token::Int(i64::from(u32::from(text.chars().next()?))),
                    _ => Token::Text(text),
                };
                return Some((token, i + 1));
            }
            '\n' if quote != '`' => return None,
            '\\' if quote != '`' => text.push(escaped(&mut chars)?),
            c => text.push(c),
        }
    }
    None
}

/// Parses the part after a backslash, as in Go.
fn escaped(chars: &mut impl Iterator<Item = (usize, char)>) -> Option<char> {
    let (_, kind) = chars.next()?;
    let digits = match kind {
        'n' => return Some('\n'),
        't' => return Some('\t'),
        'r' => return Some('\r'),
        'a' => return Some('\u{7}'),
        'b' => return Some('\u{8}'),
        'f' => return Some('\u{c}'),
        'v' => return Some('\u{b}'),
        '\\' | '"' | '\'' => return Some(kind),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => return None,
    };
    let digits: String = chars.take(digits).map(|(_, c)| c).collect();
    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
}

fn number(rest: &str) -> Option<(Token, usize)> {
    let signed = rest.starts_with(['+', '-']);
    let mut length = usize::from(signed);
    let mut before = ' ';
    for c in rest[length..].chars() {
        let sign = "+-".contains(c) && "eE".contains(before);
        if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || sign) {
            break;
        }
        length += c.len_utf8();
        before = c;
    }
    let text = rest[..length].replace('_', "");
    let plain = text.trim_start_matches(['+', '-']);
    let hex = plain
        .strip_prefix("0x")
        .or_else(|| plain.strip_prefix("0X"));
    let token = if let Some(hex) = hex {
        let number = i64::from_str_radix(hex, 16).ok()?;
        Token::Int(if text.starts_with('-') {
            -number
        } else {
            number
        })
    } else if plain.contains(['.', 'e', 'E']) {
        Token::Float(text.parse().ok()?)
    } else {
        Token::Int(text.parse().ok()?)
    };
    Some((token, length))
}
