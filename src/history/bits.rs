//! A bit stream writer and reader.

/// Reserves space for more bytes. It grows by a sixteenth, so that little stays unused, and to a multiple
/// of 16, as allocators do.
pub(super) fn reserve(bytes: &mut Vec<u8>, more: usize) {
    if bytes.capacity() - bytes.len() < more {
        let wanted = bytes.len() + more + bytes.len() / 16;
        bytes.reserve_exact(wanted.next_multiple_of(16) - bytes.len());
    }
}

/// Appends bits to bytes, highest bit first.
#[derive(Debug)]
pub(super) struct BitWriter<'a> {
    bytes: &'a mut Vec<u8>,
    /// The number of free bits in the last byte.
    free: u32,
}

impl<'a> BitWriter<'a> {
    /// Continues after bytes whose last has this number of free bits.
    pub(super) fn new(bytes: &'a mut Vec<u8>, free: u32) -> Self {
        Self { bytes, free }
    }

    /// The number of free bits in the last byte.
    pub(super) fn free(&self) -> u32 {
        self.free
    }

    /// Writes the lowest `count` bits of `bits`, at most 64.
    pub(super) fn write(&mut self, bits: u64, count: u32) {
        let mut left = count;
        while left > 0 {
            if self.free == 0 {
                reserve(self.bytes, 1);
                self.bytes.push(0);
                self.free = 8;
            }
            let taken = left.min(self.free);
            left -= taken;
            let part = (bits >> left) & ((1 << taken) - 1);
            self.free -= taken;
            if let Some(last) = self.bytes.last_mut() {
                // At most eight bits, as many as are free.
                *last |= u8::try_from(part << self.free).unwrap_or(u8::MAX);
            }
        }
    }

    /// Writes this number of zero bits.
    pub(super) fn zeros(&mut self, count: u32) {
        for start in (0..count).step_by(64) {
            self.write(0, (count - start).min(64));
        }
    }
}

/// Reads bits in the order in which they were written. Beyond the end all bits are zero.
#[derive(Clone, Debug)]
pub(super) struct BitReader<'a> {
    /// The bytes not taken yet.
    bytes: &'a [u8],
    /// The bits taken from them, of which the lowest are not read.
    taken: u64,
    /// The number of bits taken and not read.
    left: u32,
}

/// The most bits that are read at once, which leaves space for a part of a byte.
const AT_ONCE: u32 = 56;

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            taken: 0,
            left: 0,
        }
    }

    /// Reads `count` bits, at most 64.
    #[inline]
    pub(super) fn read(&mut self, count: u32) -> u64 {
        if count > AT_ONCE {
            let high = self.read(count - 32);
            return high << 32 | self.read(32);
        }
        if self.left < count {
            self.take();
        }
        self.left -= count;
        self.taken >> self.left & ((1 << count) - 1)
    }

    /// Takes as many bytes as there is space for, so that at least [`AT_ONCE`] bits are left to read.
    fn take(&mut self) {
        // Fewer than eight, so that the shift is less than the width.
        let count = (63 - self.left) / 8;
        let bytes = if let Some((bytes, _)) = self.bytes.split_first_chunk::<8>() {
            u64::from_be_bytes(*bytes)
        } else {
            let mut last = [0; 8];
            let there = self.bytes.iter();
            last.iter_mut()
                .zip(there)
                .for_each(|(byte, own)| *byte = *own);
            u64::from_be_bytes(last)
        };
        self.bytes = self.bytes.get(count as usize..).unwrap_or_default();
        self.taken = self.taken << (count * 8) | bytes >> (64 - count * 8);
        self.left += count * 8;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_come_back_as_they_were(
            written in prop::collection::vec((any::<u64>(), 0_u32..=64), 0..200),
        ) {
            let mut bytes = Vec::new();
            let mut free = 0;
            for (bits, count) in &written {
                let mut writer = BitWriter::new(&mut bytes, free);
                writer.write(*bits, *count);
                free = writer.free();
            }
            let mut reader = BitReader::new(&bytes);
            for (bits, count) in &written {
                let mask = u64::MAX.checked_shr(64 - count).unwrap_or(0);
                prop_assert_eq!(reader.read(*count), bits & mask);
            }
            prop_assert!(reader.read(7) == 0);
        }
    }
}
