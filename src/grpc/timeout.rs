use std::time::Duration;

use http::{HeaderName, HeaderValue};

pub(super) static GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The caller's timeout in the header, if valid.
#[inline]
pub(super) fn of(value: &HeaderValue) -> Option<Duration> {
    parse(value.as_bytes())
}

/// The shorter of two optional timeouts.
#[inline]
pub(super) fn shorter(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The tolerance by which a call counts as timed out early.
const SLACK: Duration = Duration::from_millis(10);

/// Whether a call that was dropped after `took` was dropped because of its timeout.
///
/// The caller's clock starts before the request arrives, and its cancellation needs time to arrive,
/// too. The difference is the delay of queues or a handshake: over loopback, without tolerance one
/// timed-out call in ten counted as cancelled, with it one in a hundred. Other callers seldom give
/// up in that last moment.
pub(super) fn has_passed(timeout: Duration, took: Duration) -> bool {
    took >= timeout.saturating_sub(SLACK.min(timeout / 2))
}

/// Parses a `grpc-timeout`: one to eight digits and a unit, as gRPC's PROTOCOL-HTTP2.md defines
/// under "Timeout". Anything else is no timeout.
fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if !(1..=8).contains(&digits.len()) {
        return None;
    }
    let mut amount: u64 = 0;
    for digit in digits {
        amount = amount * 10 + u64::from(char::from(*digit).to_digit(10)?);
    }
    Some(match unit {
        b'H' => Duration::from_secs(amount * 3_600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_unit() {
        for (text, nanos) in [
            ("2H", 7_200_000_000_000),
            ("2M", 120_000_000_000),
            ("2S", 2_000_000_000),
            ("2m", 2_000_000),
            ("2u", 2_000),
            ("2n", 2),
            ("00000000n", 0),
        ] {
            let expected = Duration::from_nanos(nanos);
            assert_eq!(parse(text.as_bytes()), Some(expected), "{text}");
        }
        assert!(parse(b"99999999H").is_some(), "11,415 years");
    }

    #[test]
    fn a_call_is_late_a_little_before_its_time() {
        let passed =
            |timeout, took| has_passed(Duration::from_micros(timeout), Duration::from_micros(took));
        assert!(passed(0, 0) && !passed(1, 0));
        assert!(passed(8_000, 4_000) && !passed(8_000, 3_999));
        assert!(passed(1_000_000, 990_000) && !passed(1_000_000, 989_999));
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "S",
            "5",
            "5s",
            "-1S",
            "+1S",
            "1.5S",
            "123456789S",
            "1 S",
            "\u{663}S",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_at_all(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            parse(&bytes);
        }
    }
}
