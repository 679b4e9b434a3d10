//! The memory of a thread that records by labels.

use std::sync::Barrier;

use selfheal::registry::{Counter, Family, Registry, Text};

/// Threads, each of which records far more series than it can remember.
const THREADS: usize = 64;
const SERIES: usize = 2_000;

#[test]
fn a_thread_that_records_by_labels_keeps_8_kib_at_most() {
    let registry = Registry::new();
    let family: Family<Counter, [Text; 2]> = registry
        .counter("requests_total", "")
        .labels(["method", "route"])
        .unwrap();
    let routes: Vec<_> = (0..SERIES).map(|n| format!("/orders/{n}/items")).collect();
    let record = || {
        for route in &routes {
            family.inc(&["GET", route]);
        }
    };
    // Creates the series before anything is measured.
    record();
    let barrier = Barrier::new(THREADS);
    let kept = std::thread::scope(|scope| {
        let measured = || {
            barrier.wait();
            [(); 2].map(|()| allocation_counter::measure(record).bytes_current)
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(measured)).collect();
        let ended = threads.into_iter().map(|thread| thread.join().unwrap());
        ended.collect::<Vec<_>>()
    });
    for [first, again] in kept {
        assert!((1..=8 << 10).contains(&first), "{first} bytes");
        assert_eq!(again, 0, "no more later");
    }
}
