use std::time::Duration;

use http::{HeaderName, HeaderValue};

pub(super) static GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The time that the caller gives the call, if the header makes sense.
#[inline]
pub(super) fn of(value: &HeaderValue) -> Option<Duration> {
    parse(value.as_bytes())
}

/// The one of two time-outs that ends first.
#[inline]
pub(super) fn shorter(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The most by which a call is taken to be late before its time.
const SLACK: Duration = Duration::from_millis(10);

/// Whether a call that was dropped after it `took` so long was dropped for being late.
///
/// The clock of its caller has been running since before the request was on its way, and the word
/// that it has run out needs a way, too. The two differ by what a queue or a handshake takes:
/// without slack one call in ten counted as cancelled over loopback, though all had run out of
/// time, and with it one in a hundred. Who gives up by chance seldom does so in that last moment.
pub(super) fn has_passed(timeout: Duration, took: Duration) -> bool {
    took >= timeout.saturating_sub(SLACK.min(timeout / 2))
}

/// Reads a `grpc-timeout`: one to eight digits and a unit, as PROTOCOL-HTTP2.md of gRPC has
/// it under "Timeout". Anything else is no timeout.
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
