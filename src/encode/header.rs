//! Headers that list alternatives with quality values: `Accept` and `Accept-Encoding`
//! (RFC 9110, sections 12.4.2, 12.5.1 and 12.5.3).

/// The maximum number of bytes read of a header: the longest that a Prometheus server sends has 5
/// elements in 400 bytes. Anything beyond the limits is ignored.
const MAX_BYTES: usize = 4096;
const MAX_ELEMENTS: usize = 64;

/// One alternative of such a header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    /// The part before the first `;`.
    pub(super) name: &'a str,
    parameters: &'a str,
    /// The quality value in thousandths: 0 (not wanted) to 1000.
    pub(super) quality: u16,
}

/// The alternatives in all lines of one header. Invalid ones are skipped.
pub(super) fn elements<'a>(
    lines: impl IntoIterator<Item = &'a str>,
) -> impl Iterator<Item = Element<'a>> {
    let mut left = MAX_BYTES;
    lines
        .into_iter()
        .take(MAX_ELEMENTS)
        .flat_map(move |line| {
            let line = &line[..line.floor_char_boundary(left)];
            left -= line.len();
            split(line, b',')
        })
        .take(MAX_ELEMENTS)
        .filter_map(Element::parse)
}

impl<'a> Element<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
        let name = name.trim();
        let mut element = Self {
            name,
            parameters,
            quality: 1000,
        };
        if let Some(value) = element.parameter("q") {
            element.quality = quality(value)?;
        }
        (!name.is_empty()).then_some(element)
    }

    /// The value of a parameter, without its quotes; the first, if it is duplicate.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        split(self.parameters, b';').find_map(|parameter| {
            let (key, value) = parameter.split_once('=')?;
            let value = value.trim();
            let inner = value
                .strip_prefix('"')
                .and_then(|value| value.strip_suffix('"'));
            key.trim()
                .eq_ignore_ascii_case(name)
                .then_some(inner.unwrap_or(value))
        })
    }
}

/// Splits at a separator, except in quoted strings.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (mut quoted, mut escaped) = (false, false);
        let end = text.bytes().position(|byte| {
            if escaped {
                escaped = false;
            } else if quoted && byte == b'\\' {
                escaped = true;
            } else if byte == b'"' {
                quoted = !quoted;
            } else {
                return byte == separator && !quoted;
            }
            false
        });
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// Parses `0` to `1` with any number of digits, of which three count.
fn quality(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if !part.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let thousandths = part
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(3)
        .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match (whole, thousandths) {
        ("0", n) => Some(n),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(header: &str) -> Vec<(&str, u16)> {
        elements([header])
            .map(|element| (element.name, element.quality))
            .collect()
    }

    #[test]
    fn reads_what_servers_send() {
        assert_eq!(
            list("a/b;version=1.0.0;q=0.75, c/d ; q=1.000,*/*;q=0.1"),
            [("a/b", 750), ("c/d", 1000), ("*/*", 100)]
        );
    }

    #[test]
    fn leaves_out_what_it_cannot_understand() {
        assert_eq!(
            list(",, ;q=1,a;q=2,b;q=-1,c;q=,d;q=0.5x,e;q=.5,f"),
            [("f", 1000)]
        );
        assert!(list("").is_empty());
        assert_eq!(list("a;q=0.33333"), [("a", 333)]);
    }

    #[test]
    fn a_separator_in_quotes_separates_nothing() {
        let header = r#"a;x="1,2;q=0";y=3;Q=0.5,b;x="\",c""#;
        assert_eq!(list(header), [("a", 500), ("b", 1000)]);
        let first = elements([header]).next().unwrap();
        assert_eq!(first.parameter("X"), Some("1,2;q=0"));
        assert_eq!(first.parameter("y"), Some("3"));
        assert_eq!(first.parameter("z"), None);
    }

    #[test]
    fn reads_no_more_than_its_limits() {
        assert_eq!(elements(["a,".repeat(1000).as_str()]).count(), MAX_ELEMENTS);
        let long = format!("{},b", "ä".repeat(MAX_BYTES));
        assert_eq!(elements([long.as_str(), "c"]).count(), 1);
    }

    #[test]
    fn several_lines_are_one_list() {
        assert_eq!(elements(["a, b", "c"]).count(), 3);
    }
}
