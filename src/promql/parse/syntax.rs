//! Locates the error in an expression that the parser has rejected.

use std::borrow::Cow;

use super::tokens::{Kind, Token};

/// The limit of a range, offset or step in seconds: a hundred years.
const MAX_SECONDS: f64 = 3_155_760_000.0;

/// The text with `</` and `>/`, which the parser does not know, replaced by `<` and `>`, which have
/// the same precedence: one `%left` in Prometheus's `generated_parser.y` has them and the
/// comparisons.
pub(super) fn without_trims<'t>(text: &'t str, tokens: &[Token]) -> Cow<'t, str> {
    let mut known = Cow::Borrowed(text);
    for token in tokens {
        let word = &text[token.span.clone()];
        if matches!(word, "</" | ">/") {
            known
                .to_mut()
                .replace_range(token.span.end - 1..token.span.end, " ");
        }
    }
    known
}

/// Finds a number where a duration is required: the parser would panic.
pub(super) fn check_durations(text: &str, tokens: &[Token]) -> Result<(), (usize, String)> {
    let mut brackets = 0_usize;
    let mut after_offset = false;
    for token in tokens {
        let word = &text[token.span.clone()];
        match word {
            "[" => brackets += 1,
            "]" => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        if (brackets > 0 || after_offset)
            && token.kind == Kind::Number
            && word
                .parse::<f64>()
                .is_ok_and(|seconds| seconds > MAX_SECONDS)
        {
            return Err((token.span.start, "duration out of range".to_owned()));
        }
        let sign = after_offset && matches!(word, "+" | "-");
        after_offset = word.eq_ignore_ascii_case("offset") || sign;
    }
    Ok(())
}

/// The position of a fault and, if the parser does not describe it, its description.
pub(super) fn fault(text: &str, tokens: &[Token], message: &str) -> (usize, Option<String>) {
    // The text quoted in the parser's message is at its first occurrence.
    let quoted = message
        .split(['\'', '"'])
        .nth(1)
        .filter(|word| !word.is_empty());
    let is_quoted = |token: &&Token| Some(&text[token.span.clone()]) == quoted;
    if let Some(token) = tokens.iter().find(is_quoted) {
        return (token.span.start, None);
    }
    if let Some(pattern) = message.strip_prefix("illegal regex for ") {
        let is_it = |token: &&Token| {
            text[token.span.clone()]
                .get(1..)
                .is_some_and(|rest| token.kind == Kind::Text && rest.starts_with(pattern))
        };
        let at = tokens
            .iter()
            .find(is_it)
            .map_or(0, |token| token.span.start);
        return (at, None);
    }
    if message.contains("unclosed") {
        return (text.trim_end().len(), None);
    }
    let described = !message.starts_with("invalid promql query");
    match unexpected(text, tokens) {
        _ if described => (tokens.first().map_or(0, |token| token.span.start), None),
        Some((at, found)) => (at, Some(found)),
        None => (0, None),
    }
}

/// The first token that is invalid in its position: expressions are operands separated by
/// operators.
fn unexpected(text: &str, tokens: &[Token]) -> Option<(usize, String)> {
    let mut open: Vec<&str> = Vec::new();
    let mut operand = false;
    for token in tokens {
        let word = &text[token.span.clone()];
        let at = token.span.start;
        let wrong = || Some((at, format!("unexpected {word:?}")));
        match (token.kind, word) {
            (_, "(" | "{" | "[") => {
                open.push(word);
                operand = false;
            }
            (_, ")" | "}" | "]") => {
                let pair = matches!(
                    (open.pop(), word),
                    (Some("("), ")") | (Some("{"), "}") | (Some("["), "]")
                );
                if !pair {
                    return wrong();
                }
                operand = true;
            }
            (Kind::Symbol, "+" | "-" | "," | "=" | "=~" | "!~" | "@" | ":") => operand = false,
            (
                Kind::Symbol,
                "*" | "/" | "%" | "^" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "</" | ">/",
            ) => {
                if !operand && !open.contains(&"{") {
                    return wrong();
                }
                operand = false;
            }
            (Kind::Symbol, _) => return wrong(),
            (Kind::Number | Kind::Text, _) => {
                if operand {
                    return wrong();
                }
                operand = true;
            }
            (Kind::Word, _) => {
                let keyword = [
                    "and",
                    "or",
                    "unless",
                    "atan2",
                    "by",
                    "without",
                    "on",
                    "ignoring",
                    "bool",
                    "offset",
                    "group_left",
                    "group_right",
                ];
                let keyword = keyword.iter().any(|name| word.eq_ignore_ascii_case(name));
                if operand && !keyword {
                    return wrong();
                }
                operand = !keyword;
            }
        }
    }
    let end = text.trim_end().len();
    if let Some(bracket) = open.last() {
        return Some((end, format!("unexpected end, {bracket:?} is not closed")));
    }
    (!operand).then(|| (end, "unexpected end, an operand is missing".to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::promql::parse::{Kind, Node, parse};

    /// The expression with each operation in parentheses.
    fn shape(text: &str) -> String {
        fn write(node: &Node, text: &str) -> String {
            match &node.kind {
                Kind::Binary(binary) => format!(
                    "({} {} {})",
                    write(&binary.left, text),
                    binary.op.symbol(),
                    write(&binary.right, text)
                ),
                // A name of one letter.
                _ => text[node.at..=node.at].to_owned(),
            }
        }
        write(&parse(text).unwrap().root, text)
    }

    /// `%left LOR`, `%left LAND LUNLESS`, `%left EQLC GTE GTR LSS LTE NEQ TRIM_UPPER TRIM_LOWER`,
    /// `%left ADD SUB`, `%left MUL DIV MOD ATAN2`, `%right POW`.
    #[test]
    fn trims_bind_as_comparisons_do_and_from_the_left() {
        for (text, wanted) in [
            ("a </ b + c", "(a </ (b + c))"),
            ("a + b >/ c * d", "((a + b) >/ (c * d))"),
            ("a >/ b ^ c", "(a >/ (b ^ c))"),
            ("a </ b >/ c", "((a </ b) >/ c)"),
            ("a < b </ c", "((a < b) </ c)"),
            ("a </ b < c", "((a </ b) < c)"),
            ("a == b >/ c != d", "(((a == b) >/ c) != d)"),
            ("a </ (b < c)", "(a </ (b < c))"),
            ("a and b </ c or d", "((a and (b </ c)) or d)"),
            ("a unless b >/ c", "(a unless (b >/ c))"),
            ("a</b-c", "(a </ (b - c))"),
            ("a </ on (x) b / c", "(a </ (b / c))"),
        ] {
            assert_eq!(shape(text), wanted, "{text}");
        }
    }
}
