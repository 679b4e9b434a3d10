//! Distinguishes code, comments and literals. A small lexer instead of a parser crate, as the rules
//! need no more than that.

use std::ops::Range;

use crate::source::of_text;

/// A string literal.
pub(crate) struct Literal {
    /// Where its text starts in the file.
    pub(crate) at: usize,
    pub(crate) text: String,
}

/// The words of masked code (names, key words, numbers) and where they stand.
pub(crate) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = code.as_bytes();
        at += bytes[at..]
            .iter()
            .take_while(|byte| !is_word(**byte))
            .count();
        let start = at;
        at += bytes[at..]
            .iter()
            .take_while(|byte| is_word(**byte))
            .count();
        (start < at).then(|| (start, &code[start..at]))
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Blanks comments and hides what stands in literals; gives the string literals apart.
pub(crate) fn mask(text: &str) -> (String, Vec<Literal>) {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut strings = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let start = at;
        if rest.starts_with(b"//") {
            at += rest.iter().take_while(|byte| **byte != b'\n').count();
            blank(&mut code[start..at]);
        } else if rest.starts_with(b"/*") {
            at += block_comment(rest);
            blank(&mut code[start..at]);
        } else if let Some((inside, end)) = string_literal(rest) {
            let inside = at + inside.start..at + inside.end;
            strings.push(Literal {
                at: inside.start,
                text: text[inside.clone()].to_owned(),
            });
            hide(&mut code[inside]);
            at += end;
        } else if let Some(length) = char_literal(&text[at..]) {
            hide(&mut code[at + 1..at + length - 1]);
            at += length;
        } else if is_word(rest[0]) {
            // As one word, so that the `r` of `for` is not taken for the start of a raw string.
            at += rest.iter().take_while(|byte| is_word(**byte)).count();
        } else {
            at += 1;
        }
    }
    (into_text(code), strings)
}

/// How long the comment is that `rest` starts with; such comments nest.
fn block_comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// If `rest` starts with a string literal of any kind: where its text stands and where it ends.
fn string_literal(rest: &[u8]) -> Option<(Range<usize>, usize)> {
    let prefix = rest.iter().take_while(|byte| is_word(**byte)).count();
    let raw = match &rest[..prefix] {
        b"" | b"b" | b"c" => false,
        b"r" | b"br" | b"cr" => true,
        _ => return None,
    };
    let hashes = rest[prefix..]
        .iter()
        .take_while(|byte| raw && **byte == b'#')
        .count();
    let start = prefix + hashes + 1;
    if rest.get(start - 1) != Some(&b'"') {
        return None;
    }
    let mut at = start;
    while at < rest.len() {
        if rest[at] == b'\\' && !raw {
            at += 2;
        } else if rest[at] == b'"'
            && rest[at + 1..]
                .iter()
                .take_while(|byte| **byte == b'#')
                .count()
                >= hashes
        {
            return Some((start..at, at + 1 + hashes));
        } else {
            at += 1;
        }
    }
    None
}

/// How long the character literal is that `rest` starts with; a lifetime is none.
fn char_literal(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices();
    let (_, '\'') = chars.next()? else {
        return None;
    };
    let (_, first) = chars.next()?;
    if first == '\\' {
        // The character after the backslash may be a quote.
        let (after, _) = chars.nth(1)?;
        return rest[after..].find('\'').map(|quote| after + quote + 1);
    }
    let (quote, '\'') = chars.next()? else {
        return None;
    };
    Some(quote + 1)
}

pub(crate) fn blank(bytes: &mut [u8]) {
    replace(bytes, b' ');
}

fn hide(bytes: &mut [u8]) {
    replace(bytes, b'_');
}

fn replace(bytes: &mut [u8], with: u8) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = with;
    }
}

/// Only whole comments and literals were replaced, so that it is still UTF-8.
pub(crate) fn into_text(code: Vec<u8>) -> String {
    String::from_utf8(code).unwrap_or_default()
}

#[test]
fn comments_are_blank_and_literals_hidden() {
    let source = of_text(
        "a /* b /* c */ \" */ d // e \"\nf(\"g // h\\\"\", r#\"i\"j\"#, b'k', '\\'', '\"', 'l')",
    );
    assert_eq!(
        source.code.split_whitespace().collect::<Vec<_>>().join(" "),
        "a d f(\"________\", r#\"___\"#, b'_', '__', '_', '_')"
    );
    let strings: Vec<&str> = source
        .strings
        .iter()
        .map(|literal| literal.text.as_str())
        .collect();
    assert_eq!(strings, ["g // h\\\"", "i\"j"]);
    assert_eq!(source.place(source.strings[1].at), "src/a/mod.rs:2");
}

#[test]
fn lifetimes_words_and_raw_names_are_code() {
    let text = "fn f<'a>(r#for: &'a str) -> Option<&'static str> { for_r; 'x: loop {} }";
    assert_eq!(of_text(text).code, text);
}
