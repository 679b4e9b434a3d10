//! A bit stream writer and reader.

/// Writes bits into bytes, highest bit first.
#[derive(Clone, Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// The number of free bits in the last byte.
    free: u32,
}

impl BitWriter {
    /// Writes the lowest `count` bits of `bits`, at most 64.
    pub(super) fn write(&mut self, bits: u64, count: u32) {
        let mut left = count;
        while left > 0 {
            if self.free == 0 {
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

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The memory it takes, in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Reads bits in the order in which they were written. Beyond the end all bits are zero.
#[derive(Clone, Debug)]
pub(super) struct BitReader<'a> {
    /// The bytes not completely read.
    bytes: &'a [u8],
    /// The number of bits read from the first byte.
    used: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, used: 0 }
    }

    /// Reads `count` bits, at most 64.
    pub(super) fn read(&mut self, count: u32) -> u64 {
        let mut bits = 0;
        let mut left = count;
        while left > 0 {
            let byte = self.bytes.first().copied().unwrap_or(0);
            let there = 8 - self.used;
            let taken = left.min(there);
            let part = u64::from(byte) >> (there - taken) & ((1 << taken) - 1);
            bits = bits << taken | part;
            self.used += taken;
            if self.used == 8 {
                self.bytes = self.bytes.get(1..).unwrap_or_default();
                self.used = 0;
            }
            left -= taken;
        }
        bits
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
            let mut writer = BitWriter::default();
            for (bits, count) in &written {
                writer.write(*bits, *count);
            }
            let mut reader = BitReader::new(writer.bytes());
            for (bits, count) in &written {
                let mask = u64::MAX.checked_shr(64 - count).unwrap_or(0);
                prop_assert_eq!(reader.read(*count), bits & mask);
            }
            prop_assert!(reader.read(7) == 0);
        }
    }
}
