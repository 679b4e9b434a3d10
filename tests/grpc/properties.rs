//! The properties of the fuzz targets, on a bounded number of inputs.

use proptest::prelude::*;

#[path = "../fuzz/grpc.rs"]
pub(crate) mod shared;

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

proptest! {
    #[test]
    fn frames(input in prop::collection::vec(prop_oneof![4 => 0_u8..3, 1 => any::<u8>()], 0..300)) {
        shared::frames(&input);
    }

    #[test]
    fn status(value in prop_oneof![bytes(5), "[0-9]{0,3}".prop_map(String::into_bytes)]) {
        shared::status(&value);
    }

    #[test]
    fn timeout(value in prop_oneof![bytes(10), "[0-9]{0,9}[HMSmuns]?|0{0,9}[mS]".prop_map(String::into_bytes)]) {
        shared::timeout(&value);
    }

    #[test]
    fn descriptor_set(at in 0_usize..700, with: u8, any in bytes(60)) {
        shared::descriptor_set(&any);
        let mut damaged = tonic_health::pb::FILE_DESCRIPTOR_SET.to_vec();
        if let Some(byte) = damaged.get_mut(at) {
            *byte = with;
        }
        shared::descriptor_set(&damaged);
    }
}
