//! Calls recorded by hand, with `MetricsInterceptor` and `instrument_grpc!`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use selfheal::grpc::{GrpcMetrics, MetricsInterceptor};
use selfheal::registry::Registry;
use tonic::{Code, Status};

use crate::wire::series;

#[test]
fn success_error_and_silence() {
    let registry = Registry::new();
    let start = || MetricsInterceptor::start_request_in(&registry, "shop.Orders", "Place");
    start().success();
    start().error(Code::AlreadyExists);
    assert_eq!(start().result(Ok(7)).unwrap(), 7);
    assert!(start().result::<()>(Err(Status::data_loss(""))).is_err());
    drop(start());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _call = start();
        panic!("as the test wants it");
    }));
    assert!(panicked.is_err());
    let expected = [
        ("shop.Orders Place ALREADY_EXISTS", 1),
        ("shop.Orders Place CANCELLED", 1),
        ("shop.Orders Place DATA_LOSS", 1),
        ("shop.Orders Place OK", 2),
        ("shop.Orders Place UNKNOWN", 1),
    ];
    let counted = series(&registry, "grpc_requests_total");
    assert_eq!(
        counted,
        expected.map(|(name, n)| (name.to_owned(), n)).into()
    );
    let timed = series(&registry, "grpc_request_duration_seconds");
    assert_eq!(timed["shop.Orders Place"], 6);
}

#[test]
fn what_is_active_and_the_messages() {
    let registry = Registry::new();
    let metrics = registry.group::<GrpcMetrics>().unwrap();
    let place = ["shop.Orders", "Place"];
    let call = MetricsInterceptor::start_request_in(&registry, place[0], place[1]);
    assert_eq!(metrics.active.with(&place).get(), 1);
    call.received();
    call.sent();
    call.sent();
    assert_eq!(metrics.received.with(&place).get(), 1);
    assert_eq!(metrics.sent.with(&place).get(), 2);
    call.success();
    assert_eq!(metrics.active.with(&place).get(), 0);
}

/// In the registry of the process, where no other test of this file records these names.
#[tokio::test]
async fn the_macro() {
    let ok = selfheal::instrument_grpc!("macro.Test", "Ok", async { Ok(7) });
    assert_eq!(ok.await.unwrap(), 7);
    let error = selfheal::instrument_grpc!("macro.Test", "Error", async {
        Err::<(), _>(Status::not_found(""))
    });
    assert!(error.await.is_err());
    let mut dropped = Box::pin(selfheal::grpc::instrument(
        "macro.Test",
        "Dropped",
        std::future::pending::<Result<(), Status>>(),
    ));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(dropped.as_mut().poll(&mut context).is_pending());
    drop(dropped);
    let mut counted = series(Registry::global(), "grpc_requests_total");
    counted.retain(|labels, _| labels.starts_with("macro.Test "));
    let expected = [
        ("macro.Test Dropped CANCELLED", 1),
        ("macro.Test Error NOT_FOUND", 1),
        ("macro.Test Ok OK", 1),
    ];
    assert_eq!(
        counted,
        expected.map(|(name, n)| (name.to_owned(), n)).into()
    );
}

#[test]
fn a_clash_of_names_records_nothing_and_says_so() {
    let registry = Registry::new();
    let other = registry.counter("grpc_requests_total", "of another kind");
    other.build().unwrap();
    MetricsInterceptor::start_request_in(&registry, "shop.Orders", "Place").success();
    assert_eq!(
        series(&registry, "grpc_requests_total"),
        [(String::new(), 0)].into()
    );
    let skipped = series(&registry, "selfheal_collectors_skipped_total");
    assert_eq!(skipped[""], 1);
}
