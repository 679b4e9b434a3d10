//! The services in a `FileDescriptorSet`, read straight from its protobuf bytes: of the many
//! fields in there, five are wanted, and they are not worth a protobuf library.

use super::declare::{RpcKind, RpcMethod};

/// The bytes given as a descriptor set are not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "these bytes are no FileDescriptorSet: hand in what `protoc --descriptor_set_out` or \
     `file_descriptor_set_path` of tonic's build script wrote"
)]
#[non_exhaustive]
pub struct InvalidDescriptorSet;

/// A service with its package in its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) methods: Vec<RpcMethod>,
}

/// Field numbers of descriptor.proto.
mod field {
    pub(super) mod set {
        pub(in super::super) const FILE: u64 = 1;
    }
    pub(super) mod file {
        pub(in super::super) const PACKAGE: u64 = 2;
        pub(in super::super) const SERVICE: u64 = 6;
    }
    pub(super) mod service {
        pub(in super::super) const NAME: u64 = 1;
        pub(in super::super) const METHOD: u64 = 2;
    }
    pub(super) mod method {
        pub(in super::super) const NAME: u64 = 1;
        pub(in super::super) const CLIENT_STREAMING: u64 = 5;
        pub(in super::super) const SERVER_STREAMING: u64 = 6;
    }
}

/// Every service in the set.
pub(super) fn services(set: &[u8]) -> Result<Vec<Service>, InvalidDescriptorSet> {
    let mut found = Vec::new();
    for file in Fields(set) {
        if let (field::set::FILE, Value::Bytes(file)) = file? {
            read_file(file, &mut found)?;
        }
    }
    Ok(found)
}

fn read_file(file: &[u8], found: &mut Vec<Service>) -> Result<(), InvalidDescriptorSet> {
    let mut package = "";
    let mut services = Vec::new();
    for entry in Fields(file) {
        match entry? {
            (field::file::PACKAGE, Value::Bytes(name)) => package = text(name)?,
            (field::file::SERVICE, Value::Bytes(service)) => services.push(service),
            _ => {}
        }
    }
    for service in services {
        let mut name = "";
        let mut methods = Vec::new();
        for entry in Fields(service) {
            match entry? {
                (field::service::NAME, Value::Bytes(bytes)) => name = text(bytes)?,
                (field::service::METHOD, Value::Bytes(method)) => methods.push(read(method)?),
                _ => {}
            }
        }
        let name = match package {
            "" => name.to_owned(),
            package => format!("{package}.{name}"),
        };
        found.push(Service { name, methods });
    }
    Ok(())
}

fn read(method: &[u8]) -> Result<RpcMethod, InvalidDescriptorSet> {
    let (mut name, mut client, mut server) = ("", false, false);
    for entry in Fields(method) {
        match entry? {
            (field::method::NAME, Value::Bytes(bytes)) => name = text(bytes)?,
            (field::method::CLIENT_STREAMING, Value::Number(n)) => client = n != 0,
            (field::method::SERVER_STREAMING, Value::Number(n)) => server = n != 0,
            _ => {}
        }
    }
    Ok(RpcMethod::new(
        name.to_owned(),
        RpcKind::new(client, server),
    ))
}

fn text(bytes: &[u8]) -> Result<&str, InvalidDescriptorSet> {
    std::str::from_utf8(bytes).map_err(|_| InvalidDescriptorSet)
}

/// The value of a field; those of a fixed size are of no interest here.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The fields of a message: the wire format of protobuf.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), InvalidDescriptorSet>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(InvalidDescriptorSet))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.varint()?.try_into().ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            // Groups, which descriptor.proto does not use, and what is no wire type at all.
            _ => return None,
        };
        Some((tag >> 3, value))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_services_of_a_real_set() {
        let set = tonic_health::pb::FILE_DESCRIPTOR_SET;
        let found = services(set).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "grpc.health.v1.Health");
        for method in [
            RpcMethod::unary("Check"),
            RpcMethod::server_streaming("Watch"),
        ] {
            assert!(found[0].methods.contains(&method), "{found:?}");
        }
        assert!(services(&set[..set.len() - 1]).is_err(), "cut short");
    }

    /// A field of bytes, short enough for one byte of length.
    fn bytes(number: u8, value: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(value.len()).unwrap()];
        out.extend(value);
        out
    }

    #[test]
    fn all_kinds_with_and_without_a_package() {
        let method = |name: &str, client: u8, server: u8| {
            let flags = [5 << 3, client, 6 << 3, server];
            bytes(2, &[bytes(1, name.as_bytes()), flags.to_vec()].concat())
        };
        let service = [
            bytes(1, b"S"),
            method("U", 0, 0),
            method("C", 1, 0),
            method("V", 0, 1),
            method("B", 1, 1),
        ]
        .concat();
        // The package after the service: fields may come in any order.
        let packaged = [bytes(6, &service), bytes(2, b"p.q")].concat();
        let plain = bytes(6, &bytes(1, b"T"));
        let found = services(&[bytes(1, &packaged), bytes(1, &plain)].concat()).unwrap();
        assert_eq!(found[0].name, "p.q.S");
        assert_eq!(
            found[0].methods,
            [
                RpcMethod::unary("U"),
                RpcMethod::client_streaming("C"),
                RpcMethod::server_streaming("V"),
                RpcMethod::bidi_streaming("B"),
            ]
        );
        assert_eq!((&*found[1].name, found[1].methods.len()), ("T", 0));
    }

    #[test]
    fn what_is_no_descriptor_set() {
        for bad in [
            &b"\x0a"[..],        // no length
            b"\x0a\x05abc",      // shorter than it says
            b"\x0a\x02\x12\x05", // and inside of a file
            b"\x0b",             // a group
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x0a\x04\x12\x02\xff\xfe", // a package that is no UTF-8
        ] {
            assert_eq!(services(bad), Err(InvalidDescriptorSet), "{bad:?}");
        }
        assert_eq!(services(b""), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn any_bytes_at_all(at in 0..700_usize, with: u8, bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = services(&bytes);
            let mut damaged = tonic_health::pb::FILE_DESCRIPTOR_SET.to_vec();
            if let Some(byte) = damaged.get_mut(at) {
                *byte = with;
            }
            let _ = services(&damaged);
        }
    }
}
