use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::StatusCode;
use tokio::sync::watch;

use super::limit::Limited;
use super::routes::answer;
use super::turns::AT_ONCE;

/// Why a listener could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address cannot be bound.
    #[error(
        "cannot listen on {address}: {source}; choose another address, or port 0 for any free port"
    )]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The thread or its run-time could not be started.
    #[error(
        "cannot start the thread of the listener: {source}; the process may be out of threads or memory"
    )]
    Thread {
        /// What the operating system said.
        #[from]
        source: io::Error,
    },
}

/// How a [`Listener`] treats its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most connections at a time; further ones wait to be accepted. Default: 64.
    pub connections: usize,
    /// How long a connection may be silent before it is closed. Default: 30 s.
    pub idle: Duration,
    /// How long a request may take to be answered; then it gets 503. Default: 10 s, which is
    /// how long Prometheus waits.
    pub request: Duration,
    /// How long requests under way may take when the listener stops. Default: 5 s.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            idle: Duration::from_secs(30),
            request: Duration::from_secs(10),
            grace: Duration::from_secs(5),
        }
    }
}

/// A listener on a thread of its own with a run-time of its own: it answers while the host's
/// threads are busy, and serves programs that have no async code at all.
///
/// It stops when it is dropped or [shut down](Listener::shutdown): it accepts no further
/// connection and finishes the requests under way, within [`Limits::grace`]. Whoever drops it
/// waits for that, so async code had better do so in `spawn_blocking`.
#[must_use = "the listener stops when it is dropped"]
pub struct Listener {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Binds `address` and serves `router` there. With port 0 the system chooses a free one;
    /// see [`address`](Listener::address).
    ///
    /// # Errors
    /// [`ListenError::Bind`] where the address is taken or not ours to bind, and
    /// [`ListenError::Thread`] where the thread or its run-time cannot be started.
    pub fn spawn(address: SocketAddr, router: Router, limits: Limits) -> Result<Self, ListenError> {
        let bind = |source| ListenError::Bind { address, source };
        let socket = TcpListener::bind(address).map_err(bind)?;
        socket.set_nonblocking(true).map_err(bind)?;
        let local = socket.local_addr().map_err(bind)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(AT_ONCE)
            .build()?;
        let (stop, stopped) = watch::channel(false);
        let router = router.layer(middleware::from_fn_with_state(limits.request, in_time));
        let socket = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(socket).map_err(bind)?
        };
        let thread = std::thread::Builder::new()
            .name("selfheal-http".to_owned())
            .spawn(move || {
                runtime.block_on(serve(
                    Limited::new(socket, limits.connections, limits.idle),
                    router,
                    stopped,
                    limits.grace,
                ));
                // A scrape that hangs in somebody's collector must not hang the process.
                runtime.shutdown_timeout(Duration::from_millis(100));
            })?;
        Ok(Self {
            address: local,
            stop,
            thread: Some(thread),
        })
    }

    /// The address that is listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops and waits until the requests under way are finished, at most [`Limits::grace`].
    pub fn shutdown(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // An error means that the thread panicked, which leaves nothing to wait for.
            let _ = thread.join();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Answers for a handler that takes too long; the handler is dropped at its await.
async fn in_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => answer(
            StatusCode::SERVICE_UNAVAILABLE,
            "text/plain; charset=utf-8",
            "this took too long; try again\n".to_owned(),
        ),
    }
}

async fn serve(socket: Limited, router: Router, stopped: watch::Receiver<bool>, grace: Duration) {
    let stop = |mut stopped: watch::Receiver<bool>| async move {
        // The sender lives in the handle; without it there is nobody left to stop us later.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let out_of_time = {
        let stopped = stopped.clone();
        async move {
            stop(stopped).await;
            tokio::time::sleep(grace).await;
        }
    };
    let server = axum::serve(socket, router).with_graceful_shutdown(stop(stopped));
    tokio::select! {
        _ = server => {}
        () = out_of_time => {}
    }
}
