use std::num::{NonZeroU64, NonZeroU128};

use http::HeaderMap;

/// The trace of a request or a call, with the ids of W3C Trace Context, as in OpenTelemetry.
/// Neither id is zero.
///
/// An inner layer or a handler may put it into the extensions of the response; that overrides the
/// trace of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    pub(super) trace: NonZeroU128,
    pub(super) span: Option<NonZeroU64>,
}

impl TraceContext {
    /// Creates it from a trace id; `None` if that is zero, the invalid id.
    #[must_use]
    pub fn new(trace_id: u128) -> Option<Self> {
        let trace = NonZeroU128::new(trace_id)?;
        Some(Self { trace, span: None })
    }

    /// Sets the id of the request's span; zero is ignored. Default: none.
    #[must_use]
    pub fn span(mut self, span_id: u64) -> Self {
        self.span = NonZeroU64::new(span_id);
        self
    }

    /// The trace of the header `traceparent`, if it is sampled; others cannot be looked up. The
    /// header's span is the caller's and is left out.
    #[must_use]
    pub fn of_headers(headers: &HeaderMap) -> Option<Self> {
        parse(headers.get("traceparent")?.as_bytes())
    }
}

/// Parses a `traceparent` (W3C Trace Context, section 3.2); a later version may append fields.
fn parse(value: &[u8]) -> Option<TraceContext> {
    let (known, more) = value.split_at_checked(55)?;
    let version = hex(known.get(..2)?)?;
    let whole = match version {
        0 => more.is_empty(),
        0xff => false,
        _ => more.first().is_none_or(|byte| *byte == b'-'),
    };
    let dashes = [2, 35, 52].iter().all(|at| known.get(*at) == Some(&b'-'));
    let trace = hex(known.get(3..35)?)?;
    let parent = hex(known.get(36..52)?)?;
    let flags = hex(known.get(53..)?)?;
    let sampled = flags & 1 == 1;
    (whole && dashes && parent != 0 && sampled).then(|| TraceContext::new(trace))?
}

/// Lowercase only, as the specification requires.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn trace(value: &str) -> Option<u128> {
        parse(value.as_bytes()).map(|context| context.trace.get())
    }

    #[test]
    fn the_example_of_the_document() {
        assert_eq!(
            trace(PARENT),
            Some(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736)
        );
    }

    #[test]
    fn what_is_none() {
        for (from, to) in [
            ("-01", "-00"),
            ("00-4b", "ff-4b"),
            ("4bf92f", "4BF92F"),
            ("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            ("00f067aa0ba902b7", &"0".repeat(16)),
            ("36-00", "36_00"),
            ("-01", "-01-more"),
            ("-01", "-1"),
        ] {
            let value = PARENT.replacen(from, to, 1);
            assert_ne!(value, PARENT);
            assert_eq!(trace(&value), None, "{value}");
        }
    }

    #[test]
    fn a_later_version_may_say_more() {
        let later = PARENT.replacen("00-", "cc-", 1);
        assert!(trace(&later).is_some());
        assert!(trace(&format!("{later}-more")).is_some());
        assert_eq!(trace(&format!("{later}more")), None);
    }

    proptest! {
        #[test]
        fn any_bytes_at_all(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            parse(&bytes);
        }

        #[test]
        fn any_ids(id in 1..=u128::MAX, parent in 1..=u64::MAX, flags: u8) {
            let value = format!("00-{id:032x}-{parent:016x}-{flags:02x}");
            prop_assert_eq!(trace(&value), (flags & 1 == 1).then_some(id));
        }
    }
}
