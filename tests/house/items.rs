//! Attributes, and the items that they keep for tests, in code whose comments are blank and whose
//! literals are hidden.

use std::ops::Range;

use crate::lexer::words;
use crate::source::of_text;

/// An item that only tests see.
pub(crate) struct TestItem {
    pub(crate) all: Range<usize>,
    /// Where its attributes end.
    pub(crate) body: usize,
}

/// The attributes of masked code, as what stands between the brackets.
pub(crate) fn attributes(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let starts = code.match_indices('#').map(|(at, _)| at);
    starts.filter_map(|at| attribute(code, at).map(|inside| (at, &code[inside])))
}

/// The outermost items that an attribute keeps for tests.
pub(crate) fn test_items(code: &str) -> Vec<TestItem> {
    let mut items = Vec::new();
    let mut at = 0;
    while let Some(found) = code[at..].find('#') {
        let start = at + found;
        let mut body = start;
        let mut for_tests = false;
        while let Some(inside) = attribute(code, body) {
            let text: String = code[inside.clone()].split_whitespace().collect();
            if keeps_for_tests(&text) {
                for_tests = true;
                if code[body..].starts_with("#!") {
                    let all = 0..code.len();
                    return vec![TestItem { all, body }];
                }
            }
            body = inside.end + 1;
            body += code[body..]
                .bytes()
                .take_while(u8::is_ascii_whitespace)
                .count();
        }
        at = body.max(start + 1);
        if for_tests {
            at = item_end(code, body);
            let all = start..at;
            items.push(TestItem { all, body });
        }
    }
    items
}

/// Where the text of the attribute stands that starts at `at`, `#[text]` or `#![text]`.
fn attribute(code: &str, at: usize) -> Option<Range<usize>> {
    let rest = code[at..].strip_prefix('#')?;
    let rest = rest.strip_prefix('!').unwrap_or(rest).strip_prefix('[')?;
    let start = code.len() - rest.len();
    let mut depth = 1;
    let end = rest.bytes().position(|byte| {
        match byte {
            b'[' => depth += 1,
            b']' => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    Some(start..start + end)
}

/// Whether an attribute, written without spaces, keeps its item out of what users compile.
fn keeps_for_tests(attribute: &str) -> bool {
    let all = attribute
        .strip_prefix("cfg(all(")
        .and_then(|rest| rest.strip_suffix("))"));
    attribute == "cfg(test)"
        || attribute == "test"
        || attribute.ends_with("::test")
        || attribute.contains("::test(")
        || all.is_some_and(|all| all.split(',').any(|part| part == "test"))
}

/// Where the item, statement, field, variant or arm ends that starts at `from`.
fn item_end(code: &str, from: usize) -> usize {
    const ITEMS: [&str; 15] = [
        "pub", "mod", "use", "fn", "impl", "struct", "enum", "trait", "type", "const", "static",
        "async", "unsafe", "extern", "let",
    ];
    // A comma ends a field, a variant or an arm, but not the generics of an item.
    let is_item = words(&code[from..])
        .next()
        .is_some_and(|(_, word)| ITEMS.contains(&word));
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            // The end of the enclosing item.
            b')' | b']' | b'}' if depth == 0 => return at,
            b')' | b']' => depth -= 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b';' if depth == 0 => return at + 1,
            b',' if depth == 0 && !is_item => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// `tests` of the item `mod tests;`.
pub(crate) fn declared_module(item: &str) -> Option<&str> {
    let mut words = item.strip_suffix(';')?.split_whitespace().rev();
    let name = words.next()?;
    (words.next() == Some("mod")).then_some(name)
}

#[test]
fn test_items_are_left_out_up_to_their_end() {
    let source = of_text(
        "fn a<T, U>() {}\n#[cfg(test)]\n#[derive(Debug)]\npub struct B<T, U> { x: [T; 2] }\n\
         #[derive(Debug)]\n#[cfg(all(test, unix))]\nconst C: &str = \"c\";\n\
         enum D { #[cfg(test)] E(u8, u8), F }\n#[cfg(any(test, feature = \"g\"))]\nfn h() {}\n\
         #[tokio::test(start_paused = true)]\nasync fn i() { loop {} }\n",
    );
    let left: String = source.code.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(
        left,
        "fn a<T, U>() {} enum D { F } #[cfg(any(test, feature = \"_\"))] fn h() {}"
    );
    assert_eq!(source.strings.len(), 1, "only `g`");
}
