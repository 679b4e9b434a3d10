//! Redaction of a validator's message: its first line without values of the file.
//!
//! A parser's message often shows the offending line, and that line may hold a password. Records go
//! to the journal, the page, the log and alert receivers, so they have the position and the
//! validator's own words, and none of the file's.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::util::BoundedStr;

/// The replacement of a value.
const MASK: &str = "…";

/// Shorter words of a file are not masked: `a`, `is`, `to`.
const SHORTEST: usize = 3;

/// Words before a number that denotes a position.
const PLACES: [&str; 8] = [
    "line", "column", "col", "row", "byte", "offset", "position", "char",
];

/// Types that have digits in their names.
const TYPES: [&str; 15] = [
    "i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "u128", "f32", "f64", "utf8",
    "ipv4", "ipv6",
];

/// The first line of a message about `content` with values masked: text in quotes or behind `=`,
/// numbers other than positions, and words among the values of the content. If the position in it
/// would be masked, it is appended.
pub(super) fn masked(message: &str, content: &[u8]) -> BoundedStr {
    let first = message.lines().map(str::trim).find(|line| !line.is_empty());
    let first = first.unwrap_or_default();
    let mut line = without_quoted(first);
    if let Some(at) = line.find('=') {
        line.truncate(at + 1);
        line.push_str(MASK);
    }
    let values = values_among(&line, &String::from_utf8_lossy(content));
    let mut out = String::new();
    let mut before = String::new();
    for piece in line.split_inclusive(char::is_whitespace) {
        let core = core(piece);
        if is_value(core, &before, &values) {
            out.push_str(&piece.replacen(core, MASK, 1));
        } else {
            out.push_str(piece);
        }
        before = core.to_ascii_lowercase();
    }
    if let Some(lost) = place(first).filter(|_| place(&out).is_none()) {
        let _ = write!(out, " ({lost})");
    }
    BoundedStr::from(out)
}

/// The position in a message, as `LINE:COLUMN` or `LINE`.
pub(super) fn place(message: &str) -> Option<String> {
    let mut line = None;
    let mut column = None;
    let mut before = "";
    for word in message.split_whitespace().map(core) {
        if is_pair(word) && line.is_none() {
            return Some(word.to_owned());
        }
        let number = || word.parse::<u32>().ok();
        match before.to_ascii_lowercase().as_str() {
            "line" | "row" => line = line.or_else(number),
            "column" | "col" => column = column.or_else(number),
            _ => {}
        }
        before = word;
    }
    let line = line?;
    Some(match column {
        Some(column) => format!("{line}:{column}"),
        None => line.to_string(),
    })
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A word without surrounding punctuation.
fn core(word: &str) -> &str {
    word.trim_matches(|c| !is_of_word(c))
}

fn words(core: &str) -> impl Iterator<Item = &str> {
    core.split(|c| !is_of_word(c))
        .filter(|word| !word.is_empty())
}

/// Whether it is like `12:5`.
fn is_pair(core: &str) -> bool {
    core.split_once(':')
        .is_some_and(|(line, column)| is_number(line) && is_number(column))
}

fn is_number(word: &str) -> bool {
    word.parse::<u32>().is_ok()
}

/// The words of a line that are among the values of a file, in lower case. The values are the text
/// after the first `=` or `:` of each line, or the whole line.
fn values_among(line: &str, content: &str) -> HashSet<String> {
    let mut said: Vec<&str> = line.split_whitespace().map(core).collect();
    let parts: Vec<&str> = said.iter().copied().flat_map(words).collect();
    said.extend(parts);
    said.retain(|word| word.chars().count() >= SHORTEST);
    let mut found = HashSet::new();
    for line in content.lines() {
        let value = line.find(['=', ':']).map_or(0, |at| at + 1);
        for chunk in line[value..].split_whitespace().map(core) {
            for word in words(chunk).chain([chunk]) {
                if said.iter().any(|said| said.eq_ignore_ascii_case(word)) {
                    found.insert(word.to_ascii_lowercase());
                }
            }
        }
    }
    found
}

fn is_value(core: &str, before: &str, values: &HashSet<String>) -> bool {
    let known = |word: &str| values.contains(&word.to_ascii_lowercase());
    if is_number(core) && PLACES.contains(&before) {
        return false;
    }
    if is_pair(core) {
        return known(core);
    }
    let mut words = words(core);
    known(core)
        || words.any(|word| {
            let lower = word.to_ascii_lowercase();
            let has_digits = word.contains(char::is_numeric);
            !TYPES.contains(&&*lower) && (has_digits || known(word))
        })
}

/// The text with everything in quotes masked; an unclosed quote extends to the end. An apostrophe
/// within a word is no quote.
fn without_quoted(text: &str) -> String {
    let mut out = String::new();
    let mut closing = None;
    let mut before = ' ';
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if closing.is_none() {
            closing = match c {
                '"' | '`' => Some(c),
                '\'' if !is_of_word(before) => Some(c),
                '“' => Some('”'),
                '«' => Some('»'),
                _ => None,
            };
            out.push(c);
            if closing.is_some() {
                out.push_str(MASK);
            }
        } else if closing == Some(c) {
            out.push(c);
            closing = None;
        } else if c == '\\' {
            chars.next();
        }
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"[db]\npassword = \"hunter2 horse\"\nport = 271828\ntoken: p@ss-Word!\n";

    #[test]
    fn a_first_line_keeps_its_words_and_loses_the_values() {
        for (message, kept) in [
            (
                "TOML parse error at line 2, column 12\n  |\n2 | password = \"hunter2\n",
                "TOML parse error at line 2, column 12",
            ),
            (
                "invalid type: string \"hunter2 horse\", expected u16 at line 2 column 30",
                "invalid type: string \"…\", expected u16 at line 2 column 30",
            ),
            (
                "unknown variant `hunter2`, it's bad",
                "unknown variant `…`, it's bad",
            ),
            ("cannot use 'hunter2 horse", "cannot use '…"),
            ("bad password: hunter2", "bad password: …"),
            ("bad password: HORSE", "bad password: …"),
            ("bad token p@ss-Word!", "bad token …!"),
            ("password=hunter2 horse is bad", "password=…"),
            (
                "error in port = hunter2 at line 3, column 8",
                "error in port =… (3:8)",
            ),
            ("271828 is no port", "… is no port"),
            ("expected 3 fields", "expected … fields"),
            ("2:12: expected a comma", "2:12: expected a comma"),
            ("a quote \"a \\\" b\" is kept", "a quote \"…\" is kept"),
            (
                "\n\n  invalid digit found in string",
                "invalid digit found in string",
            ),
            ("", ""),
            ("hunter2", "…"),
        ] {
            assert_eq!(masked(message, FILE).as_str(), kept, "{message}");
        }
    }

    #[test]
    fn places_are_found_in_the_messages_of_parsers() {
        for (message, found) in [
            ("TOML parse error at line 2, column 12", Some("2:12")),
            ("expected `,` at line 3 column 5", Some("3:5")),
            ("Line 7: what is this?", Some("7")),
            ("4:9: expected a map", Some("4:9")),
            ("invalid digit found in string", None),
            ("a line of 3 columns", None),
        ] {
            assert_eq!(place(message).as_deref(), found, "{message}");
        }
    }
}
