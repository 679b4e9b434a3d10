//! Compressed chunks of one series' values at consecutive ticks. Times are stored elsewhere.
//!
//! | encoding | for | size |
//! |---|---|---|
//! | XOR | any number | one bit if nothing changed, else the changed bits |
//! | deltas | integers below 2⁵³ | per value, the bits by which the steps differ |
//!
//! A growing chunk is encoded by XOR (Pelkonen et al., "Gorilla", VLDB 2015, section 4.1.2). When
//! it is full it is encoded again, in the smaller encoding.

use super::bits::{BitReader, BitWriter};

/// The number of values in a chunk: half an hour at a step of 15 seconds.
pub(super) const FULL: u32 = 120;

/// The encoding, as the first bit of a full chunk.
const DELTAS: u64 = 1;

/// The bits of the number of leading zeros of a difference, which is capped accordingly.
const LEADING_BITS: u32 = 5;
const LEADING_MOST: u32 = (1 << LEADING_BITS) - 1;

/// A growing chunk, which encodes each value by XOR with the previous one.
#[derive(Clone, Debug, Default)]
pub(super) struct Open {
    bits: BitWriter,
    last: u64,
    count: u32,
    /// The numbers of leading and trailing zeros of the last difference.
    zeros: Option<(u32, u32)>,
}

impl Open {
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The last added value.
    pub(super) fn last(&self) -> Option<f64> {
        (self.count > 0).then(|| f64::from_bits(self.last))
    }

    /// The memory of its bits, in bytes.
    pub(super) fn size(&self) -> usize {
        self.bits.capacity()
    }

    pub(super) fn push(&mut self, value: f64) {
        let value = value.to_bits();
        if self.count == 0 {
            // In a full chunk this bit is the encoding.
            self.bits.write(0, 1);
            self.bits.write(value, 64);
        } else {
            self.difference(value ^ self.last);
        }
        self.last = value;
        self.count += 1;
    }

    fn difference(&mut self, difference: u64) {
        if difference == 0 {
            return self.bits.write(0, 1);
        }
        let leading = difference.leading_zeros().min(LEADING_MOST);
        let trailing = difference.trailing_zeros();
        match self.zeros {
            Some((before, after)) if leading >= before && trailing >= after => {
                self.bits.write(0b10, 2);
                self.bits.write(difference >> after, 64 - before - after);
            }
            _ => {
                let length = 64 - leading - trailing;
                self.bits.write(0b11, 2);
                self.bits.write(leading.into(), LEADING_BITS);
                self.bits.write(u64::from(length) - 1, 6);
                self.bits.write(difference >> trailing, length);
                self.zeros = Some((leading, trailing));
            }
        }
    }

    pub(super) fn values(&self) -> Values<'_> {
        Values::new(self.bits.bytes(), self.count)
    }

    /// Encodes the same values in the smallest encoding.
    pub(super) fn seal(self) -> Box<[u8]> {
        let values: Vec<f64> = self.values().collect();
        match deltas(&values) {
            Some(shorter) if shorter.bytes().len() < self.bits.bytes().len() => {
                shorter.bytes().into()
            }
            _ => self.bits.bytes().into(),
        }
    }
}

/// The integer, if an f64 holds it exactly and converts back to the same bits.
fn whole(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is within the limit")]
    let whole = (value.abs() < LIMIT).then_some(value as i64)?;
    (to_float(whole).to_bits() == value.to_bits()).then_some(whole)
}

/// Exact, since the number is within the limit of `whole`.
fn to_float(whole: i64) -> f64 {
    whole as f64
}

/// Encodes integers as steps between neighbours, each with as many bits as the widest needs.
fn deltas(values: &[f64]) -> Option<BitWriter> {
    let whole: Vec<i64> = values.iter().map(|v| whole(*v)).collect::<Option<_>>()?;
    let first = *whole.first()?;
    let steps = || whole.windows(2).map(|pair| pair[1] - pair[0]);
    let least = steps().min().unwrap_or(0);
    let over = steps().map(|step| (step - least).cast_unsigned());
    let width = 64 - over.clone().max().unwrap_or(0).leading_zeros();
    let mut bits = BitWriter::default();
    bits.write(DELTAS, 1);
    bits.write(width.into(), 6);
    number(&mut bits, first);
    number(&mut bits, least);
    for step in over {
        bits.write(step, width);
    }
    Some(bits)
}

/// Writes an integer, preceded by its length.
fn number(bits: &mut BitWriter, number: i64) {
    let folded = (number << 1 ^ number >> 63).cast_unsigned();
    let length = 64 - folded.leading_zeros();
    bits.write(length.into(), 6);
    bits.write(folded, length);
}

fn read_number(bits: &mut BitReader<'_>) -> i64 {
    let length = u32::try_from(bits.read(6)).unwrap_or(0);
    let folded = bits.read(length);
    (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed()
}

/// Iterates over the values of a chunk, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Values<'a> {
    bits: BitReader<'a>,
    left: u32,
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    Xor {
        last: Option<u64>,
        zeros: (u32, u32),
    },
    Deltas {
        next: i64,
        least: i64,
        width: u32,
    },
}

impl<'a> Values<'a> {
    /// Decodes `bytes`, which holds `count` values.
    pub(super) fn new(bytes: &'a [u8], count: u32) -> Self {
        let mut bits = BitReader::new(bytes);
        let way = if bits.read(1) == DELTAS {
            let width = u32::try_from(bits.read(6)).unwrap_or(0);
            let next = read_number(&mut bits);
            let least = read_number(&mut bits);
            Way::Deltas { next, least, width }
        } else {
            Way::Xor {
                last: None,
                zeros: (0, 0),
            }
        };
        Self {
            bits,
            left: count,
            way,
        }
    }
}

impl Iterator for Values<'_> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        match &mut self.way {
            Way::Deltas { next, least, width } => {
                let value = to_float(*next);
                if self.left > 0 {
                    let step = self.bits.read(*width).cast_signed();
                    *next = next.wrapping_add(*least).wrapping_add(step);
                }
                Some(value)
            }
            Way::Xor { last, zeros } => {
                let value = match last {
                    None => self.bits.read(64),
                    Some(last) => *last ^ difference(&mut self.bits, zeros),
                };
                *last = Some(value);
                Some(f64::from_bits(value))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

fn difference(bits: &mut BitReader<'_>, zeros: &mut (u32, u32)) -> u64 {
    if bits.read(1) == 0 {
        return 0;
    }
    if bits.read(1) == 1 {
        let leading = u32::try_from(bits.read(LEADING_BITS)).unwrap_or(0);
        let length = u32::try_from(bits.read(6)).unwrap_or(0) + 1;
        *zeros = (leading, 64_u32.saturating_sub(leading + length));
    }
    let length = 64 - zeros.0 - zeros.1;
    bits.read(length).checked_shl(zeros.1).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealed(values: &[f64]) -> Box<[u8]> {
        let mut open = Open::default();
        for value in values {
            open.push(*value);
        }
        open.seal()
    }

    fn assert_same(values: &[f64]) -> usize {
        let mut open = Open::default();
        for value in values {
            open.push(*value);
        }
        let bits = |values: Values<'_>| values.map(f64::to_bits).collect::<Vec<_>>();
        let want: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
        assert_eq!(bits(open.values()), want, "as it grows");
        let count = open.count();
        let bytes = open.seal();
        assert_eq!(bits(Values::new(&bytes, count)), want, "when it is full");
        bytes.len()
    }

    fn any_bits() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            any::<i64>().prop_map(|whole| (whole >> 10) as f64),
            (-1000_i32..1000).prop_map(f64::from),
            prop::sample::select(vec![
                0.0,
                -0.0,
                f64::NAN,
                f64::INFINITY,
                f64::MIN_POSITIVE,
                9_007_199_254_740_991.0,
                -9_007_199_254_740_991.0,
                9_007_199_254_740_992.0,
            ]),
        ]
    }

    proptest! {
        #[test]
        fn every_value_comes_back_bit_by_bit(values in prop::collection::vec(any_bits(), 0..120)) {
            assert_same(&values);
        }

        #[test]
        fn a_counter_comes_back(
            start in 0_u32..1_000_000,
            steps in prop::collection::vec(0_u32..1_000, 119),
        ) {
            let mut value = f64::from(start);
            let mut values = vec![value];
            for step in steps {
                value += f64::from(step);
                values.push(value);
            }
            // Steps below 1,000 take ten bits, and nothing else is stored per value.
            prop_assert!(assert_same(&values) <= 119 * 10 / 8 + 15);
        }
    }

    #[test]
    fn what_stays_or_rises_evenly_takes_next_to_nothing() {
        assert!(assert_same(&[0.1; 120]) <= 24);
        let even: Vec<f64> = (0..120).map(|n| f64::from(n * 3)).collect();
        assert!(assert_same(&even) <= 4);
    }

    #[test]
    fn what_is_no_chunk_ends_all_the_same() {
        for bytes in [&[][..], &[0xff; 3], &[0x7f; 40], &[0xff; 40]] {
            assert_eq!(Values::new(bytes, FULL).count(), FULL as usize);
        }
        assert!(sealed(&[1.0]).len() <= 9);
    }
}
