//! The subset of the Protocol Buffers wire format (protobuf.dev/programming-guides/encoding) that
//! the exposition needs.

const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
const LENGTH: u8 = 2;

/// The maximum number of bytes before a message or a string: a key and a length.
pub(super) const LONGEST_HEAD: usize = 2 + 10;

/// Appends a whole number in groups of seven bits, the lowest first.
#[inline]
pub(super) fn varint(buf: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        buf.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    buf.push(number.to_le_bytes()[0]);
}

/// Appends the number of a field and its wire type.
fn key(buf: &mut Vec<u8>, field: u8, wire: u8) {
    varint(buf, u64::from(field) << 3 | u64::from(wire));
}

pub(super) fn uint(buf: &mut Vec<u8>, field: u8, number: u64) {
    key(buf, field, VARINT);
    varint(buf, number);
}

/// Appends a signed number, with a short encoding near zero.
pub(super) fn sint(buf: &mut Vec<u8>, field: u8, number: i64) {
    key(buf, field, VARINT);
    zigzag(buf, number);
}

/// Appends the value of a [`sint`]: 0, -1, 1, -2 are written as 0, 1, 2, 3.
pub(super) fn zigzag(buf: &mut Vec<u8>, number: i64) {
    varint(buf, (number << 1 ^ number >> 63).cast_unsigned());
}

pub(super) fn double(buf: &mut Vec<u8>, field: u8, number: f64) {
    key(buf, field, FIXED_64);
    buf.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn string(buf: &mut Vec<u8>, field: u8, text: &str) {
    key(buf, field, LENGTH);
    varint(buf, text.len() as u64);
    buf.extend_from_slice(text.as_bytes());
}

/// The number of bytes that [`string`] appends.
#[inline]
pub(super) fn string_length(text: &str) -> usize {
    let bytes = match text.len() {
        0..0x80 => 1,
        length => (length.ilog2() as usize + 1).div_ceil(7),
    };
    1 + bytes + text.len()
}

/// Appends the key and the length of a message, which must follow.
pub(super) fn message_of(buf: &mut Vec<u8>, field: u8, length: usize) {
    key(buf, field, LENGTH);
    varint(buf, length as u64);
}

/// Appends a message that `write` writes.
pub(super) fn message(buf: &mut Vec<u8>, field: u8, write: impl FnOnce(&mut Vec<u8>)) {
    // Reserves one byte for the length, which most messages need; corrected afterwards.
    key(buf, field, LENGTH);
    let start = buf.len();
    buf.push(0);
    write(buf);
    let length = buf.len() - start - 1;
    if let (Ok(short @ 0..0x80), Some(place)) = (u8::try_from(length), buf.get_mut(start)) {
        *place = short;
    } else {
        buf.remove(start);
        insert_length(buf, start, 0);
    }
}

/// Inserts, before `start`, the length of everything after it and of `more` bytes to come.
pub(super) fn insert_length(buf: &mut Vec<u8>, start: usize, more: usize) {
    let end = buf.len();
    varint(buf, (end - start + more) as u64);
    let length = buf.len() - end;
    if let Some(message) = buf.get_mut(start..) {
        message.rotate_right(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the specification.
    #[test]
    fn bytes_as_specified() {
        let mut buf = Vec::new();
        uint(&mut buf, 1, 150);
        assert_eq!(buf, [0x08, 0x96, 0x01]);
        buf.clear();
        string(&mut buf, 2, "testing");
        assert_eq!(buf, b"\x12\x07testing");
        buf.clear();
        message(&mut buf, 3, |buf| uint(buf, 1, 150));
        assert_eq!(buf, [0x1a, 0x03, 0x08, 0x96, 0x01]);
        buf.clear();
        varint(&mut buf, u64::MAX);
        assert_eq!(buf.len(), 10);
        for (number, written) in [
            (0, 0),
            (-1, 1),
            (1, 2),
            (-2, 3),
            (0x7fff_ffff, 0xffff_fffe),
            (-0x8000_0000, 0xffff_ffff),
            (i64::MIN, u64::MAX),
        ] {
            let (mut signed, mut plain) = (Vec::new(), Vec::new());
            sint(&mut signed, 1, number);
            uint(&mut plain, 1, written);
            assert_eq!(signed, plain);
        }
        buf.clear();
        uint(&mut buf, 16, 1);
        assert_eq!(
            buf,
            [0x80, 0x01, 0x01],
            "the number of the field takes two bytes"
        );
    }

    #[test]
    fn a_long_message_has_a_length_of_several_bytes() {
        let mut buf = vec![7];
        message(&mut buf, 1, |buf| buf.extend(std::iter::repeat_n(1, 300)));
        assert_eq!(buf[..4], [7, 0x0a, 0xac, 0x02]);
        assert_eq!(buf[4..], [1; 300]);
    }

    #[test]
    fn lengths_on_both_sides_of_each_border() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 16_385] {
            let text = "x".repeat(length);
            let mut buf = Vec::new();
            string(&mut buf, 1, &text);
            assert_eq!(buf.len(), string_length(&text));
            let mut same = Vec::new();
            message(&mut same, 1, |buf| buf.extend_from_slice(text.as_bytes()));
            assert_eq!(same, buf);
            same.clear();
            message_of(&mut same, 1, length);
            assert!(buf.starts_with(&same));
        }
    }
}
