//! Reads the services from a `FileDescriptorSet`.

use prost::Message;
use prost_types::{FileDescriptorSet, MethodDescriptorProto};

use super::declare::{RpcKind, RpcMethod};

/// The error for bytes that are no descriptor set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "these bytes are not a FileDescriptorSet: pass the output of `protoc --descriptor_set_out`, or \
     of `file_descriptor_set_path` in tonic's build script"
)]
#[non_exhaustive]
pub struct InvalidDescriptorSet;

/// A service, with its package in its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) methods: Vec<RpcMethod>,
}

/// Returns every service in the set.
pub(super) fn services(set: &[u8]) -> Result<Vec<Service>, InvalidDescriptorSet> {
    let set = FileDescriptorSet::decode(set).map_err(|_| InvalidDescriptorSet)?;
    let services = set.file.into_iter().flat_map(|file| {
        let prefix = match file.package() {
            "" => String::new(),
            package => format!("{package}."),
        };
        file.service.into_iter().map(move |service| Service {
            name: format!("{prefix}{}", service.name()),
            methods: service.method.into_iter().map(method).collect(),
        })
    });
    Ok(services.collect())
}

fn method(method: MethodDescriptorProto) -> RpcMethod {
    let kind = RpcKind::new(method.client_streaming(), method.server_streaming());
    RpcMethod::new(method.name.unwrap_or_default(), kind)
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

    /// Encodes a bytes field that is short enough for one byte of length.
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
        // The package after the service, since fields may be in any order.
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
            b"\x0a\x02\x12\x05", // the same in a file
            b"\x0b",             // a group
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x0a\x04\x12\x02\xff\xfe", // a package name that is not UTF-8
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
