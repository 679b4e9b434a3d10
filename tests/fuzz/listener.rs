//! What holds for whatever a peer of the listener sends, cut anywhere, at any pace: shared by the
//! fuzz target and the tests of every day. Everything goes through the code that serves a real
//! connection, over a stream in memory and in virtual time.

use std::cell::Cell;
use std::time::Duration;

use axum::Router;
use selfheal::config::Secret;
use selfheal::health::{Report, score};
use selfheal::registry::Registry;
use selfheal::server::{Auth, Endpoints, Limits, router};
use selfheal::testing::serve_connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::oneshot::{Receiver, channel};
use tokio::time::{Instant, sleep, timeout};

/// The buffer of the stream in each direction.
const STREAM: usize = 1024;

/// The most that is sent: an input is repeated up to this.
const MOST: usize = 1 << 20;

/// What a connection may take before a byte of its answer is taken: a head at its longest, and
/// what is on its way.
const KEPT: usize = 128 * 1024;

/// No input takes so long: it is some thousand pauses at the most.
const FOREVER: Duration = Duration::from_secs(86_400);

/// How the peer behaves: the first byte of the input.
#[derive(Clone, Copy)]
struct Peer(u8);

impl Peer {
    /// It says that it has nothing more to send.
    fn hangs_up(self) -> bool {
        self.0 & 1 != 0
    }

    /// It takes nothing of what it is sent, until the connection ends.
    fn takes_nothing(self) -> bool {
        self.0 & 2 != 0
    }

    /// How often what it sends is repeated: 1 to 128 times.
    fn repeats(self) -> usize {
        1 << (self.0 >> 2 & 7)
    }

    /// It is asked for credentials.
    fn app(self) -> Router {
        let registry = Registry::new();
        let orders = registry.counter("orders_total", "Orders").build().unwrap();
        orders.inc();
        let report = || Report::new(score(None, &[]), Vec::new());
        let app = router(Endpoints::new(registry, report));
        if self.0 & 32 == 0 {
            app
        } else {
            Auth::new().bearer(Secret::new("t0ken")).protect(app)
        }
    }
}

/// The number of bytes that were read.
struct Sent {
    bytes: Cell<usize>,
    last: Cell<Instant>,
}

/// A connection ends within its deadlines after the last byte, takes no more than it can keep,
/// and says HTTP or nothing. The input: how the peer behaves, and in two halves where to cut and
/// pause, and what to send.
pub(crate) fn connection(input: &[u8]) {
    let Some((peer, input)) = input.split_first() else {
        return;
    };
    let (peer, (cuts, bytes)) = (Peer(*peer), input.split_at(input.len() / 2));
    let times = peer.repeats().min(MOST / bytes.len().max(1));
    let bytes = bytes.repeat(times.max(1));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let limits = Limits::default();
        let (ours, theirs) = duplex(STREAM);
        let (read, write) = split(ours);
        let (over, ended) = channel::<()>();
        let served = async {
            serve_connection(theirs, peer.app(), limits).await;
            let now = Instant::now();
            drop(over);
            now
        };
        let sent = Sent {
            bytes: Cell::new(0),
            last: Cell::new(Instant::now()),
        };
        let sends = send(write, peer, cuts, &bytes, &sent);
        let takes = take(read, peer, ended, &sent);
        let all = async { tokio::join!(served, sends, takes) };
        let all = timeout(FOREVER, all).await;
        let Ok((end, (), (said, unanswered))) = all else {
            panic!("it never ends");
        };

        // Wherever the last byte was: within a head, within a request, or at its end.
        let longest = limits.head + limits.idle + limits.request + limits.stall;
        let after = end.saturating_duration_since(sent.last.get());
        assert!(after <= longest + Duration::from_secs(1), "{after:?}");
        assert!(said.is_empty() || said.starts_with(b"HTTP/1."), "{said:?}");
        // An endless head, or requests whose answers are not read.
        assert!(unanswered <= KEPT, "{unanswered} bytes");
    });
}

/// Sends the bytes in pieces of up to 63; the upper two bits of a cut say how long to pause.
async fn send(mut to: WriteHalf<DuplexStream>, peer: Peer, cuts: &[u8], bytes: &[u8], sent: &Sent) {
    const PAUSES: [u64; 4] = [0, 1, 900, 6_000];
    let mut rest = bytes;
    let mut cuts = cuts.iter();
    while !rest.is_empty() {
        let (many, pause) = match cuts.next() {
            Some(cut) => (usize::from(cut & 63), PAUSES[usize::from(cut >> 6)]),
            None => (rest.len(), 0),
        };
        let (piece, after) = rest.split_at(many.min(rest.len()));
        rest = after;
        if pause > 0 {
            sleep(Duration::from_millis(pause)).await;
        }
        for part in piece.chunks(STREAM) {
            if to.write_all(part).await.is_err() {
                return;
            }
            sent.bytes.set(sent.bytes.get() + part.len());
            sent.last.set(Instant::now());
        }
    }
    if peer.hangs_up() {
        let _ = to.shutdown().await;
    }
}

/// What the connection says, to its end, and how much it had taken before the first byte of that
/// was.
async fn take(
    mut from: ReadHalf<DuplexStream>,
    peer: Peer,
    ended: Receiver<()>,
    sent: &Sent,
) -> (Vec<u8>, usize) {
    if peer.takes_nothing() {
        let _ = ended.await;
    }
    let mut said = Vec::new();
    let _ = from.read_buf(&mut said).await;
    let unanswered = sent.bytes.get();
    let _ = from.read_to_end(&mut said).await;
    (said, unanswered)
}
