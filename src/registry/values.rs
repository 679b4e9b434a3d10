//! Label values formatted for lookup: numbers, and any displayable value.

use std::fmt::{self, Write};

use super::labels::{LabelValue, MAX_LABEL_VALUE, Text, Visitor};

/// A displayable value as a label value: an address, an identifier, a [`fmt::Arguments`] with a
/// part of something larger.
///
/// It is formatted once, without an allocation, and cut at [`MAX_LABEL_VALUE`] bytes, even if the
/// family's limit is higher. In the type of a family it is a [`Text`]; if all labels are texts, it
/// can be in an array of them. Output that `fmt` writes before an error is kept.
///
/// ```
/// use std::net::Ipv4Addr;
/// use selfheal::registry::{Counter, Displayed, Family, Registry, Text};
///
/// # fn main() -> Result<(), selfheal::registry::DeclareError> {
/// # let registry = Registry::new();
/// let peers: Family<Counter, (Text, bool)> =
///     registry.counter("peer_connects_total", "Connections").labels(["peer", "tls"])?;
/// peers.inc(&(Displayed::new(Ipv4Addr::LOCALHOST), true));
/// peers.inc(&(Displayed::new(format_args!("10.0.{}.0/24", 7)), false));
/// assert!(peers.get(&("10.0.7.0/24", false)).is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Displayed {
    bytes: [u8; MAX_LABEL_VALUE],
    length: usize,
    /// Whether something was cut off, after which nothing more is added.
    cut: bool,
}

impl Displayed {
    /// Formats `value`.
    #[must_use]
    pub fn new(value: impl fmt::Display) -> Self {
        let mut displayed = Self {
            bytes: [0; MAX_LABEL_VALUE],
            length: 0,
            cut: false,
        };
        // An error means that the text is cut, or that `value` returned one.
        let _ = write!(displayed, "{value}");
        displayed
    }

    /// The kept text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Always valid: texts are cut at a character boundary.
        let text = self.bytes.get(..self.length).map(str::from_utf8);
        text.and_then(Result::ok).unwrap_or_default()
    }
}

impl fmt::Write for Displayed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.cut {
            return Err(fmt::Error);
        }
        let space = MAX_LABEL_VALUE - self.length;
        let mut end = text.len().min(space);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.bytes[self.length..self.length + end].copy_from_slice(&text.as_bytes()[..end]);
        self.length += end;
        self.cut = end < text.len();
        if self.cut { Err(fmt::Error) } else { Ok(()) }
    }
}

impl LabelValue for Displayed {
    type Key = Text;
    #[inline]
    fn visit(&self, visit: impl FnOnce(&str)) {
        visit(self.as_str());
    }
}

impl AsRef<str> for Displayed {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Displayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Closed: all 256 values are known, and found by place if the other labels are closed too.
impl LabelValue for u8 {
    type Key = Self;
    const VALUES: &'static [&'static str] = &BYTES;
    #[inline]
    fn index(&self) -> usize {
        usize::from(*self)
    }
}

const DIGITS: &[[u8; 3]; 256] = &{
    let mut digits = [[b'0'; 3]; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "it is below 256")]
        let n = byte as u8;
        digits[byte] = [b'0' + n / 100, b'0' + n / 10 % 10, b'0' + n % 10];
        byte += 1;
    }
    digits
};

const BYTES: [&str; 256] = {
    let mut texts = [""; 256];
    let mut byte = 0;
    while byte < 256 {
        let zeros = if byte < 10 {
            2
        } else if byte < 100 {
            1
        } else {
            0
        };
        if let Ok(text) = str::from_utf8(DIGITS[byte].split_at(zeros).1) {
            texts[byte] = text;
        }
        byte += 1;
    }
    texts
};

/// Numbers with too many values to list.
macro_rules! numbers {
    ($($number:ty)+) => {$(
        impl LabelValue for $number {
            type Key = Self;
            #[inline]
            fn visit(&self, visit: impl FnOnce(&str)) {
                visit(itoa::Buffer::new().format(*self));
            }
            #[inline(always)]
            fn accept(&self, visitor: &mut impl Visitor) -> bool {
                visitor.text(itoa::Buffer::new().format(*self))
            }
        }
    )+};
}
numbers!(u16 u32 u64 usize i8 i16 i32 i64 isize);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Counter, Family, Registry};

    fn text(value: &impl LabelValue) -> String {
        let mut out = String::new();
        value.visit(|text| out.push_str(text));
        out
    }

    #[test]
    fn numbers_are_written_as_they_are_displayed() {
        for n in 0..=u8::MAX {
            assert_eq!(text(&n), n.to_string());
            assert_eq!(u8::VALUES[n.index()], n.to_string());
        }
        assert_eq!(text(&u64::MAX), u64::MAX.to_string());
        assert_eq!(text(&i64::MIN), i64::MIN.to_string());
        assert_eq!(text(&-1_i8), "-1");
    }

    #[test]
    fn what_is_displayed_is_cut_at_a_character_and_kept_up_to_an_error() {
        struct Breaks;
        impl fmt::Display for Breaks {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("so far")?;
                Err(fmt::Error)
            }
        }
        let long = "ä".repeat(MAX_LABEL_VALUE);
        let odd = Displayed::new(format_args!("a{long}{}", "never"));
        assert_eq!(
            odd.as_str(),
            super::super::labels::cut(&format!("a{long}"), MAX_LABEL_VALUE)
        );
        // The first character that does not fit ends the text, even if a shorter one follows.
        let last = Displayed::new(format_args!("{}{}{}", "a".repeat(255), "ä", "b"));
        assert_eq!(last.as_str(), "a".repeat(255));
        assert_eq!(Displayed::new(Breaks).as_str(), "so far");
        assert_eq!(Displayed::new("").as_str(), "");
    }

    #[test]
    fn one_family_takes_every_kind_of_value() {
        let registry = Registry::new();
        let family: Family<Counter, (bool, u8, i32, Text, Text, Text)> = registry
            .counter("mixed_total", "")
            .labels(["a", "b", "c", "d", "e", "f"])
            .unwrap();
        for _ in 0..3 {
            let boxed: Box<str> = "boxed".into();
            family.inc(&(true, 7_u8, -404, "text", boxed, Displayed::new(1.5)));
        }
        family.inc(&(true, 7_u8, -404, "text", "boxed", "1.5"));
        let labels = r#"a="true",b="7",c="-404",d="text",e="boxed",f="1.5""#;
        let series = &family.snapshot().series;
        assert_eq!((series.len(), &*series[0].labels), (1, labels));
        let by_place: Family<Counter, (u8, bool)> = registry
            .counter("bytes_total", "")
            .labels(["a", "b"])
            .unwrap();
        assert_eq!(by_place.start_at_zero().len(), 512);
    }
}
