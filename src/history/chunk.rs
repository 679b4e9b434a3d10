//! Compressed chunks of one series' values at consecutive ticks. Times are stored elsewhere.
//!
//! | encoding | for | size |
//! |---|---|---|
//! | still | one value, repeated | the value |
//! | XOR | any number | one bit if nothing changed, else the changed bits |
//! | steps | integers below 2⁵³, each less than 2³¹ from the last | one bit if the step is the previous one, else the change of the step |
//! | deltas | integers below 2⁵³, once all are known | per value, the bits by which the steps differ |
//!
//! A growing chunk is still, and has no bits, until a value differs. From then on it is encoded by
//! steps (as times in Pelkonen et al., "Gorilla", VLDB 2015, section 4.1.1), or by XOR (section
//! 4.1.2) if a value is no integer or a step is too large. A full chunk is encoded again if that
//! makes it smaller.

use super::bits::{BitReader, BitWriter};

/// The number of values in a chunk: half an hour at a step of 15 seconds.
pub(super) const FULL: u8 = 120;

/// The bits at the start of a chunk that identify the encoding.
const WAY_BITS: u32 = 2;
const XOR: u64 = 0;
const DELTAS: u64 = 1;
const STEPS: u64 = 2;
const STILL: u64 = 3;

/// The bits of the number of leading zeros of a difference, which is capped accordingly.
const LEADING_BITS: u32 = 5;
const LEADING_MOST: u32 = (1 << LEADING_BITS) - 1;

/// The widths of a change of the step; a prefix of one more bit selects the next. Steps below 2³¹
/// change by less than 2³², which takes 33 bits with the sign.
const STEP_WIDTHS: [u32; 6] = [3, 6, 10, 14, 20, 33];

/// A growing chunk. Its bits are at the end of the bytes of its stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Open {
    last: u64,
    /// The last step, or the numbers of leading and trailing zeros of the last difference.
    state: State,
    /// The number of bytes before its own.
    start: u32,
    /// The tick of the first value: one a second fills it in a century.
    from: u32,
    way: Growing,
    count: u8,
    /// The number of free bits in the last byte.
    free: u8,
}

/// Four bytes for either of two states: there is one for each number of a history.
#[derive(Clone, Copy, Debug, Default)]
struct State(i32);

impl State {
    /// No difference can have as many zeros.
    const NO_ZEROS: Self = Self(i32::MAX);

    fn of(zeros: Option<(u8, u8)>) -> Self {
        zeros.map_or(Self::NO_ZEROS, |(before, after)| {
            Self(i32::from(before) << 8 | i32::from(after))
        })
    }

    fn zeros(self) -> Option<(u8, u8)> {
        let [.., before, after] = self.0.to_be_bytes();
        (self.0 != Self::NO_ZEROS.0).then_some((before, after))
    }
}

#[derive(Clone, Copy, Debug, Default)]
enum Growing {
    #[default]
    Still,
    Steps,
    Xor,
}

impl Open {
    /// Creates an empty chunk after this number of bytes.
    pub(super) fn after(bytes: usize) -> Self {
        Self {
            start: u32::try_from(bytes).unwrap_or(u32::MAX),
            ..Self::default()
        }
    }

    /// Sets the number of bytes before its own.
    pub(super) fn moved_to(&mut self, bytes: usize) {
        self.start = u32::try_from(bytes).unwrap_or(u32::MAX);
    }

    /// The number of bytes before its own.
    pub(super) fn start(&self) -> usize {
        self.start as usize
    }

    /// The tick of the first value.
    pub(super) fn from(&self) -> u64 {
        self.from.into()
    }

    /// Sets the tick of the first value.
    pub(super) fn begin_at(&mut self, tick: u64) {
        self.from = u32::try_from(tick).unwrap_or(u32::MAX);
    }

    pub(super) fn count(&self) -> u8 {
        self.count
    }

    /// The last added value.
    pub(super) fn last(&self) -> Option<f64> {
        (self.count > 0).then(|| f64::from_bits(self.last))
    }

    /// Adds a value. The chunk's bits are the last ones of `bytes`.
    pub(super) fn push(&mut self, value: f64, bytes: &mut Vec<u8>) {
        let bits = value.to_bits();
        if self.count == 0 {
            self.last = bits;
            self.count = 1;
            return;
        }
        let before = whole(f64::from_bits(self.last));
        let step = before.zip(whole(value)).and_then(|(before, value)| {
            // Both are within the limit of `whole`.
            i32::try_from(value - before).ok()
        });
        match (&self.way, step) {
            (Growing::Still, _) if bits == self.last => {}
            (Growing::Still, step) => {
                self.begin(before.filter(|_| step.is_some()), bytes);
                self.add(bits, step, bytes);
            }
            (Growing::Steps, None) => {
                self.rewrite(bytes);
                self.add(bits, None, bytes);
            }
            _ => self.add(bits, step, bytes),
        }
        self.last = bits;
        self.count += 1;
    }

    /// Encodes the values so far, which are all the same; `whole` is the integer, if it is one.
    fn begin(&mut self, whole: Option<i64>, bytes: &mut Vec<u8>) {
        let mut writer = BitWriter::new(bytes, 0);
        if let Some(whole) = whole {
            writer.write(STEPS, WAY_BITS);
            number(&mut writer, whole);
            (self.way, self.state) = (Growing::Steps, State(0));
        } else {
            writer.write(XOR, WAY_BITS);
            writer.write(self.last, 64);
            (self.way, self.state) = (Growing::Xor, State::NO_ZEROS);
        }
        writer.zeros(u32::from(self.count) - 1);
        self.free = free(&writer);
    }

    /// Encodes all values again, by XOR.
    fn rewrite(&mut self, bytes: &mut Vec<u8>) {
        let start = self.start();
        let own = bytes.get(start..).unwrap_or_default();
        let values: Vec<u64> = self.values(own).map(f64::to_bits).collect();
        bytes.truncate(start);
        let mut writer = BitWriter::new(bytes, 0);
        let mut zeros = None;
        writer.write(XOR, WAY_BITS);
        for (at, value) in values.iter().enumerate() {
            match at.checked_sub(1).and_then(|before| values.get(before)) {
                None => writer.write(*value, 64),
                Some(before) => write_difference(&mut writer, value ^ before, &mut zeros),
            }
        }
        self.free = free(&writer);
        (self.way, self.state) = (Growing::Xor, State::of(zeros));
    }

    /// Encodes a value; `step` is from the previous integer to this one, if both are.
    fn add(&mut self, bits: u64, step: Option<i32>, bytes: &mut Vec<u8>) {
        let mut writer = BitWriter::new(bytes, self.free.into());
        match (self.way, step) {
            (Growing::Steps, Some(step)) => {
                write_change(&mut writer, i64::from(step) - i64::from(self.state.0));
                self.state = State(step);
            }
            (Growing::Xor, _) => {
                let mut zeros = self.state.zeros();
                write_difference(&mut writer, bits ^ self.last, &mut zeros);
                self.state = State::of(zeros);
            }
            _ => {}
        }
        self.free = free(&writer);
    }

    /// The values, decoded from the bits of the chunk.
    pub(super) fn values<'a>(&self, bytes: &'a [u8]) -> Values<'a> {
        match self.way {
            Growing::Still => Values {
                bits: BitReader::new(&[]),
                left: self.count.into(),
                way: Way::Still { bits: self.last },
            },
            _ => Values::new(bytes, self.count),
        }
    }

    /// Encodes the same values in the smallest encoding.
    pub(super) fn seal(&self, bytes: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::new();
        let shorter = deltas(self.values(bytes), &mut sealed);
        match self.way {
            Growing::Still if !shorter => {
                let mut writer = BitWriter::new(&mut sealed, 0);
                writer.write(STILL, WAY_BITS);
                writer.write(self.last, 64);
            }
            Growing::Still => {}
            _ if shorter && sealed.len() < bytes.len() => {}
            _ => sealed = bytes.to_vec(),
        }
        sealed
    }
}

/// The number of free bits, which is below eight.
fn free(writer: &BitWriter<'_>) -> u8 {
    u8::try_from(writer.free()).unwrap_or(0)
}

/// The integer, if an f64 holds it exactly and converts back to the same bits.
fn whole(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "within the limit")]
    let whole = (value.abs() < LIMIT).then_some(value as i64)?;
    (to_float(whole).to_bits() == value.to_bits()).then_some(whole)
}

/// Exact, since the number is within the limit of `whole`.
fn to_float(whole: i64) -> f64 {
    whole as f64
}

/// Encodes integers as steps between neighbours, each with as many bits as the widest needs. False if
/// a value is no integer.
fn deltas(values: Values<'_>, bytes: &mut Vec<u8>) -> bool {
    let Some(whole) = values.map(whole).collect::<Option<Vec<i64>>>() else {
        return false;
    };
    let Some(first) = whole.first() else {
        return false;
    };
    let steps = || whole.windows(2).map(|pair| pair[1] - pair[0]);
    let least = steps().min().unwrap_or(0);
    let over = steps().map(|step| (step - least).cast_unsigned());
    let width = 64 - over.clone().max().unwrap_or(0).leading_zeros();
    let mut bits = BitWriter::new(bytes, 0);
    bits.write(DELTAS, WAY_BITS);
    bits.write(width.into(), 6);
    number(&mut bits, *first);
    number(&mut bits, least);
    for step in over {
        bits.write(step, width);
    }
    true
}

/// The zigzag encoding of an integer: the sign is the lowest bit.
fn folded(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

fn unfolded(folded: u64) -> i64 {
    (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed()
}

/// Writes an integer, preceded by its length.
fn number(bits: &mut BitWriter<'_>, number: i64) {
    let folded = folded(number);
    let length = 64 - folded.leading_zeros();
    bits.write(length.into(), 6);
    bits.write(folded, length);
}

fn read_number(bits: &mut BitReader<'_>) -> i64 {
    let length = u32::try_from(bits.read(6)).unwrap_or(0);
    unfolded(bits.read(length))
}

/// Writes the change of a step.
fn write_change(bits: &mut BitWriter<'_>, change: i64) {
    if change == 0 {
        return bits.write(0, 1);
    }
    let folded = folded(change);
    let last = STEP_WIDTHS.len() - 1;
    for (at, width) in STEP_WIDTHS.iter().enumerate() {
        bits.write(1, 1);
        if at == last || folded >> width == 0 {
            if at < last {
                bits.write(0, 1);
            }
            return bits.write(folded, *width);
        }
    }
}

fn read_change(bits: &mut BitReader<'_>) -> i64 {
    if bits.read(1) == 0 {
        return 0;
    }
    let [narrower @ .., widest] = STEP_WIDTHS;
    let width = narrower.into_iter().find(|_| bits.read(1) == 0);
    unfolded(bits.read(width.unwrap_or(widest)))
}

fn write_difference(bits: &mut BitWriter<'_>, difference: u64, zeros: &mut Option<(u8, u8)>) {
    if difference == 0 {
        return bits.write(0, 1);
    }
    let leading = difference.leading_zeros().min(LEADING_MOST);
    let trailing = difference.trailing_zeros();
    if let Some((before, after)) = zeros.map(|(before, after)| (before.into(), after.into()))
        && leading >= before
        && trailing >= after
    {
        bits.write(0b10, 2);
        bits.write(difference >> after, 64 - before - after);
        return;
    }
    let length = 64 - leading - trailing;
    bits.write(0b11, 2);
    bits.write(leading.into(), LEADING_BITS);
    bits.write(u64::from(length) - 1, 6);
    bits.write(difference >> trailing, length);
    let small = |count: u32| u8::try_from(count).unwrap_or(u8::MAX);
    *zeros = Some((small(leading), small(trailing)));
}

fn read_difference(bits: &mut BitReader<'_>, zeros: &mut (u32, u32)) -> u64 {
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

/// Iterates over the values of a chunk, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Values<'a> {
    bits: BitReader<'a>,
    left: u32,
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    Still {
        bits: u64,
    },
    Xor {
        last: Option<u64>,
        zeros: (u32, u32),
    },
    Steps {
        next: i64,
        step: i64,
    },
    Deltas {
        next: i64,
        least: i64,
        width: u32,
    },
}

impl<'a> Values<'a> {
    /// Decodes `bytes`, which holds `count` values.
    pub(super) fn new(bytes: &'a [u8], count: u8) -> Self {
        let mut bits = BitReader::new(bytes);
        let way = match bits.read(WAY_BITS) {
            STILL => Way::Still {
                bits: bits.read(64),
            },
            STEPS => Way::Steps {
                next: read_number(&mut bits),
                step: 0,
            },
            DELTAS => {
                let width = u32::try_from(bits.read(6)).unwrap_or(0);
                let next = read_number(&mut bits);
                let least = read_number(&mut bits);
                Way::Deltas { next, least, width }
            }
            _ => Way::Xor {
                last: None,
                zeros: (0, 0),
            },
        };
        Self {
            bits,
            left: count.into(),
            way,
        }
    }
}

impl Iterator for Values<'_> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        self.left = self.left.checked_sub(1)?;
        match &mut self.way {
            Way::Still { bits } => Some(f64::from_bits(*bits)),
            Way::Steps { next, step } => {
                let value = to_float(*next);
                if self.left > 0 {
                    *step = step.wrapping_add(read_change(&mut self.bits));
                    *next = next.wrapping_add(*step);
                }
                Some(value)
            }
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
                    Some(last) => *last ^ read_difference(&mut self.bits, zeros),
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

impl ExactSizeIterator for Values<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The number of bytes before those of the chunk.
    const BEFORE: usize = 3;

    fn grown(values: &[f64]) -> (Open, Vec<u8>) {
        let mut open = Open::after(BEFORE);
        let mut bytes = vec![0xa5; BEFORE];
        for value in values {
            open.push(*value, &mut bytes);
        }
        (open, bytes.split_off(BEFORE))
    }

    fn assert_same(values: &[f64]) -> usize {
        let (open, grown) = grown(values);
        let bits = |values: Values<'_>| values.map(f64::to_bits).collect::<Vec<_>>();
        let want: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
        assert_eq!(bits(open.values(&grown)), want, "as it grows");
        let count = open.count();
        let bytes = open.seal(&grown);
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

        /// Integers first, so that the chunk is encoded again.
        #[test]
        fn a_chunk_that_becomes_another_comes_back(
            still in 0_usize..40,
            first in any_bits(),
            whole in prop::collection::vec(-1_000_i32..1_000, 0..40),
            others in prop::collection::vec(any_bits(), 0..40),
        ) {
            let mut values = vec![first; still];
            values.extend(whole.into_iter().map(f64::from));
            values.extend(others);
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
        assert!(assert_same(&[0.1; 120]) <= 9);
        assert!(grown(&[0.1; 120]).1.is_empty());
        let even: Vec<f64> = (0..120).map(|n| f64::from(n * 3)).collect();
        assert!(assert_same(&even) <= 4);
        assert!(grown(&even).1.len() <= 20);
    }

    #[test]
    fn what_is_no_chunk_ends_all_the_same() {
        for bytes in [&[][..], &[0xff; 3], &[0x7f; 40], &[0xff; 40]] {
            assert_eq!(Values::new(bytes, FULL).count(), usize::from(FULL));
        }
        assert!(assert_same(&[1.0]) <= 9);
    }
}
