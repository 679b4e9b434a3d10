//! The single message of a family of any size.
//!
//! Its length precedes it, and a large message is handed over in parts. So the length is measured
//! first: the remaining series are encoded into a buffer that is discarded. When they are encoded
//! again, to be sent, their values are newer and may be longer or shorter; the length includes
//! spare space for that, and the unused part is filled with an unknown field, which every protobuf
//! reader skips.

use super::wire;
use crate::catalog::Kind;

/// The shortest padding: a key and a length.
const LEAST: usize = 2;

/// The longest padding field, the longest with a one-byte length, the shortest with a two-byte one.
const LONGEST: usize = 16 * 1024;
const ONE_BYTE: usize = 1 + 1 + 0x7f;
const TWO_BYTES: usize = 1 + 2 + 0x80;

/// Spare bytes for new exemplars, and for growing buckets, between the two encodings of a series.
/// For buckets an eighth of the length is added: a byte more for each count, or a few native
/// buckets more in every series.
const SPARE: usize = 64 * 1024;

/// Spare bytes for series that were being created during the measurement.
const CREATED: usize = 4 * 1024;

/// The actual or maximum length of an encoding.
#[derive(Clone, Copy, Default)]
pub(super) struct Length {
    /// Without exemplars.
    pub(super) bare: usize,
    /// The exemplars alone. They have a separate share of the spare space, so that new exemplars
    /// displace no series.
    pub(super) exemplars: usize,
}

/// The part of a series that fits.
pub(super) enum Fits {
    Whole,
    WithoutExemplars,
    Not,
}

pub(super) enum Message {
    /// No message has begun.
    None,
    /// All of it is in the buffer, from here on.
    Short { start: usize },
    /// Its length is handed over; these bytes are still to come.
    Long { left: Length },
}

impl Message {
    /// Begins a message if none has begun, and returns whether it did.
    pub(super) fn begin(&mut self, buf: &mut Vec<u8>, head: &[u8]) -> bool {
        let begins = matches!(self, Self::None);
        if begins {
            *self = Self::Short { start: buf.len() };
            buf.extend_from_slice(head);
        }
        begins
    }

    /// The part of a series that fits.
    pub(super) fn takes(&mut self, series: Length) -> Fits {
        let Self::Long { left } = self else {
            return Fits::Whole;
        };
        if series.bare + LEAST > left.bare {
            return Fits::Not;
        }
        left.bare -= series.bare;
        if series.exemplars > left.exemplars {
            return Fits::WithoutExemplars;
        }
        left.exemplars -= series.exemplars;
        Fits::Whole
    }

    /// Inserts the length before the buffer's content, which is to be handed over: `rest` is the
    /// current length of what is still to come.
    pub(super) fn begin_long(
        &mut self,
        buf: &mut Vec<u8>,
        kind: Kind,
        rest: impl FnOnce() -> Length,
    ) {
        if let Self::Short { start } = *self {
            let mut left = rest();
            let spare = left.bare.min(SPARE);
            if matches!(kind, Kind::Counter | Kind::Histogram) {
                left.exemplars += spare;
            }
            if kind == Kind::Histogram {
                left.bare += left.bare / 8 + spare;
            }
            left.bare += LEAST + CREATED;
            wire::insert_length(buf, start, left.bare + left.exemplars);
            *self = Self::Long { left };
        }
    }

    /// Ends the message, padding up to `space` bytes in the buffer; false if more padding remains.
    pub(super) fn finish(&mut self, buf: &mut Vec<u8>, space: usize) -> bool {
        match self {
            Self::None => {}
            Self::Short { start } => wire::insert_length(buf, *start, 0),
            Self::Long { left } => {
                left.bare += std::mem::take(&mut left.exemplars);
                let end = buf.len().saturating_add(space);
                while left.bare > 0 {
                    if buf.len() > end {
                        return false;
                    }
                    let length = filling(left.bare);
                    let head = if length <= ONE_BYTE { 2 } else { 3 };
                    wire::message_of(buf, 15, length - head);
                    buf.resize(buf.len() + length - head, 0);
                    left.bare -= length;
                }
            }
        }
        *self = Self::None;
        true
    }
}

/// The length of the next padding field, so that the rest is zero or can be padded. No field has a
/// length between those with a length of one byte and of two.
fn filling(left: usize) -> usize {
    match left {
        0..=ONE_BYTE | TWO_BYTES..=LONGEST => left,
        _ if left >= LONGEST + TWO_BYTES => LONGEST,
        _ => left / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_length_is_filled_exactly_in_bounded_parts() {
        for left in (LEAST..400)
            .chain(LONGEST - 200..LONGEST + 400)
            .chain([1_000_003])
        {
            let mut message = long(left, 0);
            let (mut length, mut buf) = (0, Vec::new());
            while !message.finish(&mut buf, 100) {
                assert!(buf.len() <= 100 + LONGEST);
                length += buf.len();
                buf.clear();
            }
            assert_eq!(length + buf.len(), left);
        }
    }

    fn long(bare: usize, exemplars: usize) -> Message {
        let left = Length { bare, exemplars };
        Message::Long { left }
    }

    #[test]
    fn what_has_become_too_long_is_refused_and_exemplars_take_no_space_of_series() {
        let mut message = long(10, 7);
        let mut takes = |bare, exemplars| message.takes(Length { bare, exemplars });
        assert!(matches!(takes(5, 4), Fits::Whole));
        assert!(matches!(takes(4, 0), Fits::Not));
        assert!(matches!(takes(3, 4), Fits::WithoutExemplars));
        let mut buf = Vec::new();
        assert!(message.finish(&mut buf, 100));
        assert_eq!(buf, [0x7a, 3, 0, 0, 0]);
    }
}
