//! The message of one family, however many series that has.
//!
//! Its length stands before it, and a large one is handed over in parts. So the length is
//! measured: the series that are still to come are written once into a buffer that is thrown
//! away. When they are written again, to be sent, their values are newer and may be longer or
//! shorter; the length has room for that, and what is left of it is filled with a field that the
//! message does not have, which every reader of protobuf passes over.

use super::wire;
use crate::catalog::Kind;

/// The shortest filling: a key and a length.
const LEAST: usize = 2;

/// The longest field of filling, and the longest two whose lengths take one byte and two.
const LONGEST: usize = 16 * 1024;
const ONE_BYTE: usize = 1 + 1 + 0x7f;
const TWO_BYTES: usize = 1 + 2 + 0x80;

/// Room for exemplars that come up, and for buckets that grow, between the two times that series
/// are written. An eighth of the length comes to it for buckets: that is a byte more for each
/// count, or a few native buckets more in every series.
const SPARE: usize = 64 * 1024;

/// Room for series that were being created when the length was measured.
const CREATED: usize = 4 * 1024;

/// How long something is, or may be.
#[derive(Clone, Copy, Default)]
pub(super) struct Length {
    /// Without exemplars.
    pub(super) bare: usize,
    /// The exemplars alone. They have their own part of the room, so that exemplars that come up
    /// push no series out.
    pub(super) exemplars: usize,
}

/// Of a series, what there is room for.
pub(super) enum Fits {
    Whole,
    WithoutExemplars,
    Not,
}

pub(super) enum Message {
    /// None has begun.
    None,
    /// All of it is in the buffer, from here on.
    Short { start: usize },
    /// Its length is handed over; so many bytes of it are to come.
    Long { left: Length },
}

impl Message {
    /// Begins one where none has begun, and says whether it did.
    pub(super) fn begin(&mut self, buf: &mut Vec<u8>, head: &[u8]) -> bool {
        let begins = matches!(self, Self::None);
        if begins {
            *self = Self::Short { start: buf.len() };
            buf.extend_from_slice(head);
        }
        begins
    }

    /// What there is room for of a series.
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

    /// Writes the length before what is in the buffer, which is to be handed over: `rest` is how
    /// long what is still to come is by now.
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

    /// Ends the message, in the buffer of which `room` bytes more are to be filled; false where
    /// there is more to come.
    pub(super) fn finish(&mut self, buf: &mut Vec<u8>, room: usize) -> bool {
        match self {
            Self::None => {}
            Self::Short { start } => wire::insert_length(buf, *start, 0),
            Self::Long { left } => {
                left.bare += std::mem::take(&mut left.exemplars);
                let end = buf.len().saturating_add(room);
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

/// How long the next field of filling is, so that another one or nothing remains. No field is
/// of a length between those whose own length takes one byte and two.
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
    fn what_has_become_too_long_is_refused_and_exemplars_take_no_room_of_series() {
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
