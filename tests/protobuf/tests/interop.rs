//! The bridges to the `prometheus` crate, in the build with its feature `protobuf`.

#[path = "../../interop/both.rs"]
mod both;
#[path = "../../interop/from.rs"]
mod from;
#[path = "../../interop/support.rs"]
mod support;
#[path = "../../interop/to.rs"]
mod to;

use prometheus::proto::{Metric, Untyped};

fn untyped(value: f64) -> Metric {
    let mut untyped = Untyped::default();
    untyped.set_value(value);
    let mut metric = Metric::default();
    metric.untyped = Some(untyped).into();
    metric
}

#[test]
fn an_untyped_metric_survives_with_labels_and_time_stamp() {
    let mut metric = untyped(-0.125);
    metric.set_label(vec![support::pair("untyped", "untyped: 7")]);
    metric.set_timestamp_ms(1_700_000_000_000);
    let ours = support::bridged(support::family("load", prometheus::proto::MetricType::UNTYPED, [metric]));
    assert_eq!(support::number(&ours, "load", r#"untyped="untyped: 7""#), Some(-0.125));
}

#[test]
fn what_we_hand_over_can_be_sent_as_protobuf() {
    use prometheus::Encoder as _;
    let theirs = to::everything();
    let mut bytes = Vec::new();
    prometheus::ProtobufEncoder::new()
        .encode(&theirs.gather(), &mut bytes)
        .unwrap();
    assert!(!bytes.is_empty());
}
