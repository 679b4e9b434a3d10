//! Clients of HTTP/2 that use it against the listener.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use selfheal::testing::value;

use super::*;

/// Waits until one connection was refused, for one of these reasons.
async fn refused_one(registry: &Registry, reasons: &[&str]) {
    let one = async {
        loop {
            let refused = reasons.iter().filter_map(|reason| {
                let labels = [("reason", *reason)];
                value(registry, "selfheal_connections_refused_total", &labels)
            });
            if refused.sum::<f64>() > 0.5 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let counted = tokio::time::timeout(LONG, one).await;
    assert!(counted.is_ok(), "none of {reasons:?} is counted");
}

/// Opens requests and resets them at once, which costs it next to nothing.
#[tokio::test]
async fn rapid_resets_end_the_connection_and_are_counted() {
    let authority = Authority::new();
    let registry = Registry::new();
    let listener = listen(&registry, authority.server());
    let stream = connect(listener.address(), authority.client(), &["h2"]);
    let (client, connection) = h2::client::handshake(stream.await.unwrap()).await.unwrap();
    let ended = tokio::spawn(connection);
    let mut sent = 0;
    let mut client = client.ready().await.unwrap();
    while sent < 10_000 {
        let request = Request::get("https://localhost/metrics").body(()).unwrap();
        let Ok((answer, mut stream)) = client.send_request(request, true) else {
            break;
        };
        stream.send_reset(h2::Reason::CANCEL);
        drop(answer);
        sent += 1;
        client = match client.ready().await {
            Ok(client) => client,
            Err(_) => break,
        };
        tokio::task::yield_now().await;
    }
    // It gets the reason, unless it was still writing when the connection was closed.
    let error = ended.await.unwrap().unwrap_err();
    let reason = error.reason();
    let calm = reason == Some(h2::Reason::ENHANCE_YOUR_CALM);
    assert!(error.is_io() || calm, "{error}");
    assert!(sent < 10_000, "it went on");
    refused_one(&registry, &["broken"]).await;
    let answers = by_http_2(listener.address(), authority.client(), &["/livez"]).await;
    assert_eq!(answers[0].0, StatusCode::OK);
    tokio::task::spawn_blocking(move || listener.shutdown())
        .await
        .unwrap();
}

/// A head that goes on and on in small pieces, kept open by pings in between.
#[tokio::test]
async fn a_head_that_never_ends_is_cut() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let authority = Authority::new();
    let registry = Registry::new();
    let mut limits = Limits::default();
    (limits.head, limits.idle) = (Duration::from_millis(300), Duration::from_millis(600));
    let builder = Listener::builder(ANY, Router::new()).counted(&registry);
    let builder = builder.tls(authority.server()).limits(limits);
    let listener = builder.spawn().unwrap();
    let mut stream = connect(listener.address(), authority.client(), &["h2"])
        .await
        .unwrap();
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    // Empty settings, and headers without their end.
    stream
        .write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0])
        .await
        .unwrap();
    stream
        .write_all(&[0, 0, 0, 1, 1, 0, 0, 0, 1])
        .await
        .unwrap();
    let begin = Instant::now();
    let ended = async {
        let mut bytes = [0; 1024];
        // Each frame continues the headers with nothing.
        while stream.write_all(&[0, 0, 0, 9, 0, 0, 0, 0, 1]).await.is_ok() {
            let read = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut bytes));
            if matches!(read.await, Ok(Ok(0) | Err(_))) {
                break;
            }
        }
    };
    tokio::time::timeout(LONG, ended).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5));
    refused_one(&registry, &["head", "broken"]).await;
    tokio::task::spawn_blocking(move || listener.shutdown())
        .await
        .unwrap();
}

/// More requests than it may have at a time: the others wait.
#[tokio::test]
async fn a_connection_has_no_more_requests_than_it_may() {
    let authority = Authority::new();
    let open = Arc::new(AtomicUsize::new(0));
    let app = Router::new().fallback({
        let open = Arc::clone(&open);
        async move || {
            open.fetch_add(1, SeqCst);
            std::future::pending::<()>().await;
        }
    });
    let builder = Listener::builder(ANY, app).tls(authority.server());
    let listener = builder.spawn().unwrap();
    let stream = connect(listener.address(), authority.client(), &["h2"]);
    let (mut client, mut connection) = h2::client::handshake(stream.await.unwrap()).await.unwrap();
    let mut ping = connection.ping_pong().unwrap();
    let connection = tokio::spawn(connection);
    let mut answers = Vec::new();
    for _ in 0..100 {
        let request = Request::get("https://localhost/").body(()).unwrap();
        client = client.ready().await.unwrap();
        answers.push(client.send_request(request, true).unwrap());
    }
    // The answer to a ping comes after everything that was sent before it was read.
    let pings = async {
        while open.load(SeqCst) < 16 {
            ping.ping(h2::Ping::opaque()).await.unwrap();
        }
        ping.ping(h2::Ping::opaque()).await.unwrap();
    };
    tokio::time::timeout(LONG, pings).await.unwrap();
    assert_eq!(open.load(SeqCst), 16);
    connection.abort();
    tokio::task::spawn_blocking(move || listener.shutdown())
        .await
        .unwrap();
}
