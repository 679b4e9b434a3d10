//! The property of the fuzz target of the listener, on a bounded number of inputs.

use proptest::prelude::*;

#[path = "../fuzz/listener.rs"]
#[allow(clippy::panic, reason = "it is a test, and a target of the fuzzer")]
mod shared;

/// What a peer sends, put together from what requests are made of, and from anything.
fn sent() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        12 => prop::sample::select(vec![
            "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n", "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n",
            "HEAD / HTTP/1.0\r\n\r\n", "POST /health HTTP/1.1\r\ncontent-length: 9\r\n\r\n",
            "GET /readyz HTTP/1.1\r\nconnection: close\r\n\r\n",
            "PUT /metrics HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        ]),
        12 => prop::sample::select(vec![
            "GET ", "OPTIONS ", "CONNECT ", "PRI ", "/metrics", "/livez", "/%2e%2e/", "*", "http://x/",
            "?name[]=a", "%", " ", " HTTP/1.1", " HTTP/1.0", " HTTP/2.0", "\r\n", "\r\n", "\r\n\r\n",
            "\n", "\r", "host: x", "content-length: ", "99999999999999999999", "-1", "7", "\0",
            "transfer-encoding: chunked", "chunked", "0\r\n\r\n", "ffffffffffffffff\r\n", ";x=\"",
            "expect: 100-continue", "connection: upgrade", "upgrade: h2c", "connection: keep-alive",
            "authorization: Bearer t0ken", "authorization: Basic ", "accept: */*", ":", ", ", "é",
            "x-prometheus-scrape-timeout-seconds: 0", "accept-encoding: gzip",
        ]),
        1 => Just("a-long-line: ".repeat(400).leak() as &str),
    ]
    .prop_map(|part| part.as_bytes().to_vec());
    let any = prop::collection::vec(any::<u8>(), 0..30);
    prop::collection::vec(prop_oneof![20 => part, 1 => any], 0..12).prop_map(|parts| parts.concat())
}

/// Where to cut: as many bytes as are sent, few of them with a pause.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let cut = prop_oneof![20 => 0_u8..64, 1 => any::<u8>()];
    let cuts = prop::collection::vec(cut, 0..40);
    (any::<u8>(), cuts, sent()).prop_map(|(peer, mut cuts, sent)| {
        // As many as it takes, besides the pieces of one byte.
        cuts.resize(sent.len(), 63);
        [vec![peer], cuts, sent].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn whatever_a_peer_sends(input in input()) {
        shared::connection(&input);
    }
}

/// A head without an end, and a body without one, at full speed.
#[test]
fn what_never_ends_is_not_taken() {
    const REPEATED: u8 = 7 << 2;
    for (peer, piece) in [
        (REPEATED, "a".repeat(8 * 1024)),
        (
            REPEATED | 2,
            "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n".repeat(240),
        ),
        (
            REPEATED | 2,
            "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(240),
        ),
    ] {
        let cuts = vec![63; piece.len()];
        shared::connection(&[&[peer], &cuts[..], piece.as_bytes()].concat());
    }
}
