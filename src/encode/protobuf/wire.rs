//! The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding), as much of
//! it as the exposition needs.

const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
const LENGTH: u8 = 2;

/// Appends a whole number in groups of seven bits, the lowest first.
pub(super) fn varint(buf: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        buf.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    buf.push(number.to_le_bytes()[0]);
}

/// Field numbers of these messages are below 16, so that a key is one byte.
fn key(buf: &mut Vec<u8>, field: u8, wire: u8) {
    buf.push(field << 3 | wire);
}

pub(super) fn uint(buf: &mut Vec<u8>, field: u8, number: u64) {
    key(buf, field, VARINT);
    varint(buf, number);
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

/// Appends a message that `write` writes.
pub(super) fn message(buf: &mut Vec<u8>, field: u8, write: impl FnOnce(&mut Vec<u8>)) {
    key(buf, field, LENGTH);
    let start = buf.len();
    write(buf);
    insert_length(buf, start);
}

/// Puts the length of everything from `start` on before it.
pub(super) fn insert_length(buf: &mut Vec<u8>, start: usize) {
    let end = buf.len();
    varint(buf, (end - start) as u64);
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
    }

    #[test]
    fn a_long_message_has_a_length_of_several_bytes() {
        let mut buf = vec![7];
        message(&mut buf, 1, |buf| buf.extend(std::iter::repeat_n(1, 300)));
        assert_eq!(buf[..4], [7, 0x0a, 0xac, 0x02]);
        assert_eq!(buf[4..], [1; 300]);
    }
}
