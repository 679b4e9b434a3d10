use selfheal::collect::runtime;
use selfheal::registry::Registry;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::number;

#[test]
fn tasks_and_workers_are_those_of_the_runtime() {
    let registry = Registry::new();
    let tokio = Builder::new_multi_thread()
        .worker_threads(3)
        .build()
        .unwrap();
    runtime(&registry, tokio.handle()).unwrap();
    assert_eq!(number(&registry, "tokio_workers"), Some(3.0));
    assert_eq!(number(&registry, "tokio_alive_tasks"), Some(0.0));

    let (stop, stopped) = oneshot::channel::<()>();
    let waiting = tokio.spawn(stopped);
    assert_eq!(number(&registry, "tokio_alive_tasks"), Some(1.0));
    drop(stop);
    assert!(tokio.block_on(waiting).unwrap().is_err());
    let busy = number(&registry, "tokio_worker_busy_seconds_total");
    assert!(busy >= Some(0.0));

    // A second one replaces it, even for a caller who asks twice.
    let single = Builder::new_current_thread().build().unwrap();
    runtime(&registry, single.handle()).unwrap();
    assert_eq!(number(&registry, "tokio_workers"), Some(1.0));
    drop(single);
    drop(tokio);
    assert_eq!(
        number(&registry, "tokio_workers"),
        Some(1.0),
        "gone is no panic"
    );
}

#[tokio::test]
async fn tasks_that_wait_their_turn_are_counted() {
    let registry = Registry::new();
    runtime(&registry, &Handle::current()).unwrap();
    let parks = number(&registry, "tokio_worker_parks_total").unwrap();
    // On a runtime of one thread, which this test keeps for itself, spawned from another
    // thread: they can wait in the shared queue alone.
    let handle = Handle::current();
    let tasks = std::thread::spawn(move || [(); 5].map(|()| handle.spawn(async {})));
    let tasks = tasks.join().unwrap();
    assert_eq!(number(&registry, "tokio_global_queue_depth"), Some(5.0));
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(number(&registry, "tokio_global_queue_depth"), Some(0.0));
    // The worker goes to sleep, since it only waits for another thread.
    let (wake, woken) = oneshot::channel();
    let waker = std::thread::spawn(move || {
        let now = || number(&registry, "tokio_worker_parks_total").unwrap();
        let slept = (0..1_000_000).any(|_| {
            std::thread::yield_now();
            now() > parks
        });
        wake.send(slept)
    });
    assert!(woken.await.unwrap(), "no worker went to sleep");
    waker.join().unwrap().unwrap();
}
