/// CRC-32 as in Ethernet, gzip and PNG (polynomial 0x04C11DB7, reflected): it finds every burst
/// of up to 32 flipped bits, which is what a torn write or a bad sector leaves.
pub(super) struct Crc(u32);

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    const REFLECTED: u32 = 0xEDB8_8320;
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation, reason = "below 256")]
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (if crc & 1 == 1 { REFLECTED } else { 0 });
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

impl Crc {
    pub(super) const fn new() -> Self {
        Self(!0)
    }

    pub(super) fn update(mut self, bytes: &[u8]) -> Self {
        for byte in bytes {
            let place = (self.0 ^ u32::from(*byte)) & 0xFF;
            self.0 = (self.0 >> 8) ^ TABLE[place as usize];
        }
        self
    }

    pub(super) const fn finish(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_published_check_values() {
        let crc = |text: &str| Crc::new().update(text.as_bytes()).finish();
        assert_eq!(crc("123456789"), 0xCBF4_3926);
        assert_eq!(crc(""), 0);
        assert_eq!(
            crc("The quick brown fox jumps over the lazy dog"),
            0x414F_A339
        );
    }
}
