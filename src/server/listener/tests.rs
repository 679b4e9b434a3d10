use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::{Instant, sleep};

use super::*;
use crate::config::LIVENESS_PATH;

/// Every client gets a slot, at the expense of a silent one; no silent one keeps it for long.
#[tokio::test(start_paused = true)]
async fn ten_thousand_silent_connections_and_a_probe() {
    let limits = Limits::default();
    let places = Places::new(limits, None);
    let router = Router::new().route(LIVENESS_PATH, get(|| async { "up" }));
    let open = Arc::new(AtomicUsize::new(0));
    let mut most = 0;
    let mut peers = Vec::new();
    let serve = async |peers: &mut Vec<_>| {
        let (peer, stream) = duplex(1024);
        let place = places.enter().await;
        let open = Arc::clone(&open);
        let served = Served {
            router: router.clone(),
            request: limits.request,
            tls: None,
        };
        open.fetch_add(1, SeqCst);
        tokio::spawn(async move {
            connection::serve(stream, |_| {}, place, served, pending()).await;
            open.fetch_sub(1, SeqCst);
        });
        // The connection that gave way ends.
        tokio::task::yield_now().await;
        peers.push(peer);
    };
    let begin = Instant::now();
    for n in 0..10_000 {
        serve(&mut peers).await;
        most = most.max(open.load(SeqCst));
        if n % 1_000 == 0 {
            serve(&mut peers).await;
            let probe = peers.last_mut().unwrap();
            let head = format!("GET {LIVENESS_PATH} HTTP/1.1\r\nhost: x\r\n\r\n");
            probe.write_all(head.as_bytes()).await.unwrap();
            let mut status = [0; 12];
            probe.read_exact(&mut status).await.unwrap();
            assert_eq!(&status, b"HTTP/1.1 200", "after {n}");
        }
    }
    // Each has 20 ms to send its request, 80 at a time.
    assert!(most <= 81, "{most} at a time");
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
    sleep(limits.head + limits.idle).await;
    assert_eq!(open.load(SeqCst), 0);
}
