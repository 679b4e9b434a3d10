//! Reads the value of an untyped metric in the generated build of `prometheus::proto`, which has a
//! public field where the plain build has a getter. Naming the field would break the plain build,
//! so the value is read from the encoded message.
//!
//! Implements just enough of the protobuf wire format to find one number.
//! Encoding: <https://protobuf.dev/programming-guides/encoding/>; field numbers:
//! `proto_model.proto` in `prometheus` 0.14.

#![allow(dead_code, reason = "all of it is shadowed in the plain build")]

use prometheus::proto::{Metric, MetricFamily, MetricType};

/// The getter of the plain build.
pub(super) trait GetUntyped {
    fn get_untyped(&self) -> Decoded;
}

pub(super) struct Decoded(f64);

impl Decoded {
    pub(super) fn get_value(&self) -> f64 {
        self.0
    }
}

impl GetUntyped for Metric {
    fn get_untyped(&self) -> Decoded {
        // This import shadows the items of the module: `ProtobufEncoder` is theirs if there is one,
        // else the stand-in below.
        #[allow(clippy::wildcard_imports)]
        use prometheus::*;

        let mut family = MetricFamily::default();
        family.set_name("untyped".to_owned());
        family.set_field_type(MetricType::UNTYPED);
        family.set_metric(vec![self.clone()]);
        let mut bytes = Vec::new();
        // Fails only for a family without a name or metrics.
        let encoded: Result<()> = ProtobufEncoder::new().encode(&[family], &mut bytes);
        Decoded(
            encoded
                .ok()
                .and_then(|()| first_value(&bytes))
                .unwrap_or(0.0),
        )
    }
}

struct ProtobufEncoder;

impl ProtobufEncoder {
    fn new() -> Self {
        Self
    }

    #[allow(clippy::unused_self, reason = "the signature of the replaced function")]
    fn encode(&self, _: &[MetricFamily], _: &mut Vec<u8>) -> prometheus::Result<()> {
        Err(prometheus::Error::Msg("never called".to_owned()))
    }
}

/// The value of the first metric in a length-delimited `MetricFamily` of untyped metrics.
fn first_value(bytes: &[u8]) -> Option<f64> {
    const METRIC: u64 = 4;
    const UNTYPED: u64 = 5;
    const VALUE: u64 = 1;

    let (length, rest) = varint(bytes)?;
    let family = rest.get(..usize::try_from(length).ok()?)?;
    let value = field(field(field(family, METRIC)?, UNTYPED)?, VALUE)?;
    Some(f64::from_le_bytes(value.try_into().ok()?))
}

/// The bytes of the first field with this number.
fn field(mut message: &[u8], number: u64) -> Option<&[u8]> {
    loop {
        let (key, rest) = varint(message)?;
        let (value, rest) = match key & 7 {
            0 => {
                let (_, after) = varint(rest)?;
                (&rest[..rest.len() - after.len()], after)
            }
            1 => rest.split_at_checked(8)?,
            2 => {
                let (length, rest) = varint(rest)?;
                rest.split_at_checked(usize::try_from(length).ok()?)?
            }
            5 => rest.split_at_checked(4)?,
            _ => return None,
        };
        if key >> 3 == number {
            return Some(value);
        }
        message = rest;
    }
}

/// Reads a varint of up to ten bytes, seven bits in each; returns it and the rest.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A family "load" of two untyped metrics, the first with a label and a time stamp,
    /// as `protoc --encode` writes it.
    fn family() -> Vec<u8> {
        let mut metric = vec![0x0a, 0x06, 0x0a, 0x01, b'a', 0x12, 0x01, b'b'];
        metric.extend([0x2a, 0x09, 0x09]);
        metric.extend(2.5_f64.to_le_bytes());
        metric.extend([0x30, 0xac, 0x02]);
        let mut family = vec![0x0a, 0x04];
        family.extend(b"load");
        family.extend([0x18, 0x03, 0x22, u8::try_from(metric.len()).unwrap()]);
        family.extend(&metric);
        family.extend([0x22, 0x00]);
        family.insert(0, u8::try_from(family.len()).unwrap());
        family
    }

    #[test]
    fn finds_the_value_of_the_first_metric() {
        assert_eq!(first_value(&family()), Some(2.5));
    }

    #[test]
    fn anything_torn_is_nothing() {
        let family = family();
        for end in 0..family.len() {
            assert_eq!(first_value(&family[..end]), None, "cut at {end}");
        }
        assert_eq!(first_value(&[0xff; 32]), None);
        assert_eq!(first_value(&[2, 0x1b, 0x1c]), None, "groups are not used");
    }
}
