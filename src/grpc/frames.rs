/// The length of the header of each message: a flag and the message length, as gRPC's
/// PROTOCOL-HTTP2.md defines under "Length-Prefixed-Message".
const HEADER: u8 = 5;

/// Counts the messages in a stream of bytes, however the bytes are split.
///
/// It buffers nothing and has eight bytes of state. A message counts when its last byte has passed,
/// so an incomplete one does not. The flag is ignored: compressed messages count, and rejecting an
/// invalid flag is up to the decoder.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FrameCounter {
    /// The number of header bytes seen; at [`HEADER`] the message itself follows.
    header: u8,
    /// The length read so far, then the number of bytes left in the message.
    left: u32,
}

impl FrameCounter {
    /// Processes bytes and returns how many messages ended in them.
    #[inline]
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> u64 {
        let mut messages = 0;
        loop {
            if self.header == HEADER {
                let Some((_, rest)) = bytes.split_at_checked(self.left as usize) else {
                    // At most `left`, which is a u32.
                    #[expect(clippy::cast_possible_truncation)]
                    let passed = bytes.len() as u32;
                    self.left -= passed;
                    return messages;
                };
                bytes = rest;
                *self = Self::default();
                messages += 1;
            }
            if self.header == 0
                && let Some((&[_, a, b, c, d], rest)) = bytes.split_first_chunk()
            {
                self.left = u32::from_be_bytes([a, b, c, d]);
                self.header = HEADER;
                bytes = rest;
                continue;
            }
            let Some((&byte, rest)) = bytes.split_first() else {
                return messages;
            };
            if self.header > 0 {
                self.left = self.left << 8 | u32::from(byte);
            }
            self.header += 1;
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for message in messages {
            out.push(u8::from(message.len() % 2 == 0));
            out.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
            out.extend(message);
        }
        out
    }

    #[test]
    fn empty_messages_and_empty_chunks() {
        let mut counter = FrameCounter::default();
        assert_eq!(counter.feed(&[]), 0);
        assert_eq!(counter.feed(&[0, 0, 0, 0, 0]), 1);
        assert_eq!(counter.feed(&[0; 15]), 3);
        assert_eq!(counter.feed(&[0; 4]), 0, "a header that breaks off");
    }

    #[test]
    fn a_message_counts_with_its_last_byte() {
        let mut counter = FrameCounter::default();
        assert_eq!(counter.feed(&[1, 0, 0, 0, 2, 9]), 0);
        assert_eq!(counter.feed(&[9]), 1);
        assert_eq!(counter.feed(&[0, 0xff, 0xff, 0xff, 0xff]), 0);
        for _ in 0..100 {
            assert_eq!(counter.feed(&[0; 1_000]), 0, "of four gigabytes");
        }
    }

    /// A simple reference counter, with everything in memory.
    fn reference(mut bytes: &[u8]) -> u64 {
        let mut messages = 0;
        while let Some((header, rest)) = bytes.split_at_checked(5) {
            let length = u32::from_be_bytes(header[1..].try_into().unwrap());
            let Some((_, rest)) = rest.split_at_checked(length as usize) else {
                break;
            };
            messages += 1;
            bytes = rest;
        }
        messages
    }

    fn cut(bytes: &[u8], cuts: &[usize]) -> u64 {
        let mut counter = FrameCounter::default();
        let mut rest = bytes;
        let mut messages = 0;
        for cut in cuts {
            let (chunk, after) = rest.split_at((*cut).min(rest.len()));
            messages += counter.feed(chunk);
            rest = after;
        }
        messages + counter.feed(rest)
    }

    proptest! {
        #[test]
        fn any_cut_of_whole_messages(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
            cuts in prop::collection::vec(0_usize..12, 0..200),
        ) {
            prop_assert_eq!(cut(&framed(&messages), &cuts), messages.len() as u64);
        }

        #[test]
        fn any_bytes_at_all(
            // Mostly zeros, so that lengths are small and many messages are counted.
            bytes in prop::collection::vec(prop_oneof![4 => Just(0_u8), 1 => 0_u8..9, 1 => any::<u8>()], 0..400),
            cuts in prop::collection::vec(0_usize..12, 0..100),
        ) {
            prop_assert_eq!(cut(&bytes, &cuts), reference(&bytes));
        }
    }
}
