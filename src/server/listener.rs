//! The listener: its thread, its sockets and what it accepts.

mod sockets;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::sockets::{Accepted, Socket, accepted};
use super::connection::{self, Served, reset};
use super::pages::AT_ONCE;
use super::places::Places;
use super::refused::{Refused, refused};
use super::tls::{Tls, TlsError};
use crate::config::{self, Address};
use crate::registry::Registry;

/// The threads for blocking work beside those that write pages, started when they are needed: for
/// the healing engine of a program that has no run-time of its own. Whatever it does there, the
/// pages have theirs.
const OTHERS: usize = 32;

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
        address: Address,
        /// What the operating system said.
        source: io::Error,
    },
    /// It cannot speak TLS.
    #[error("cannot speak TLS: {0}")]
    Tls(#[from] TlsError),
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

/// How a [`Listener`] treats its connections. Whatever a peer does, it holds one connection, and
/// that no longer than these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most connections with a request under way, probes (`/livez`, `/readyz` and `/health`)
    /// aside; a further request takes the place of the slowest reader, or gets 503. There are 16
    /// connections more, for probes and newcomers: where those are taken, too, the one gives way
    /// that has gone longest without a whole request. Default: 64.
    pub connections: usize,
    /// How long the head of a request may take, from the connection or its first byte. Default:
    /// 5 s.
    pub head: Duration,
    /// How long a connection may be silent between requests before it is closed. Default: 30 s.
    pub idle: Duration,
    /// How long a request may take to be answered; then it gets 503. An answer that is not taken
    /// to its last byte a second later is cut off. Default: 10 s, which is how long Prometheus
    /// waits.
    pub request: Duration,
    /// How long a peer may leave what it is sent without taking 32 KiB of it; then the connection
    /// is reset. Default: 5 s.
    pub stall: Duration,
    /// How long requests under way may take when the listener stops. Default: 5 s.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            head: Duration::from_secs(5),
            idle: Duration::from_secs(30),
            request: Duration::from_secs(10),
            stall: Duration::from_secs(5),
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
    addresses: Vec<Address>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    /// Of its thread.
    runtime: Arc<Handle>,
}

impl Listener {
    /// Binds `address` and serves `router` there, in plain text; [`builder`](Self::builder) has
    /// more. With port 0 the system chooses a free one; see [`address`](Listener::address).
    ///
    /// # Errors
    /// [`ListenError::Bind`] where the address is taken or not ours to bind, and
    /// [`ListenError::Thread`] where the thread or its run-time cannot be started.
    pub fn spawn(address: SocketAddr, router: Router, limits: Limits) -> Result<Self, ListenError> {
        Self::builder(address, router).limits(limits).spawn()
    }

    /// A listener that is to serve `router` at `address`.
    pub fn builder(address: SocketAddr, router: Router) -> ListenerBuilder {
        ListenerBuilder {
            address,
            also: Vec::new(),
            router,
            limits: Limits::default(),
            tls: None,
            refused: None,
        }
    }

    /// The address that is listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All addresses that are listened on, in the order in which they were given.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The run-time of its thread, which is there until the listener stops.
    #[cfg_attr(
        not(feature = "healing"),
        expect(dead_code, reason = "nothing else runs there")
    )]
    pub(crate) fn runtime(&self) -> Weak<Handle> {
        Arc::downgrade(&self.runtime)
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

/// How a [`Listener`] is to be started; made by [`Listener::builder`].
#[must_use = "nothing listens until `spawn` is called"]
pub struct ListenerBuilder {
    address: SocketAddr,
    also: Vec<Address>,
    router: Router,
    limits: Limits,
    tls: Option<config::Tls>,
    refused: Refused,
}

impl ListenerBuilder {
    /// Sets how it treats its connections. Default: [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Listens there, too, under the same limits: the connections of all addresses share them. A
    /// Unix socket speaks no TLS; its file has mode 0600 and is removed at the end. Default: at one
    /// address alone.
    pub fn also(mut self, address: impl Into<Address>) -> Self {
        self.also.push(address.into());
        self
    }

    /// Speaks TLS with these files, and HTTP/2 with clients that offer it. It needs the feature
    /// `tls`. Default: plain text.
    pub fn tls(mut self, files: config::Tls) -> Self {
        self.tls = Some(files);
        self
    }

    /// Counts in `selfheal_connections_refused_total` of `registry` what it refuses, by `reason`.
    /// Default: that is not counted.
    pub fn counted(mut self, registry: &Registry) -> Self {
        self.refused = refused(registry);
        self
    }

    /// Starts it. What is in the way of that is reported here: the address, the files of TLS.
    ///
    /// # Errors
    /// [`ListenError::Bind`] where the address is taken or not ours to bind,
    /// [`ListenError::Tls`] where the files cannot be used, and [`ListenError::Thread`] where the
    /// thread or its run-time cannot be started.
    pub fn spawn(self) -> Result<Listener, ListenError> {
        let tls = self.tls.as_ref().map(Tls::load).transpose()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(AT_ONCE + OTHERS)
            .build()?;
        let (stop, stopped) = watch::channel(false);
        let mut sockets = Vec::new();
        let mut addresses = Vec::new();
        for address in std::iter::once(Address::Tcp(self.address)).chain(self.also) {
            let _inside = runtime.enter();
            let bind = |source| ListenError::Bind {
                address: address.clone(),
                source,
            };
            let socket = Socket::bind(&address).map_err(bind)?;
            addresses.push(socket.address().map_err(bind)?);
            sockets.push(socket);
        }
        let local = match addresses.first() {
            Some(Address::Tcp(local)) => *local,
            _ => self.address,
        };
        let handle = Arc::new(runtime.handle().clone());
        let limits = self.limits;
        let places = Places::new(limits, self.refused);
        let served = Served {
            router: self.router,
            request: limits.request,
            tls,
        };
        let thread = std::thread::Builder::new()
            .name("selfheal-http".to_owned())
            .spawn(move || {
                runtime.block_on(serve(sockets, places, served, limits.grace, stopped));
                // A collector that hangs must not hang the process.
                runtime.shutdown_timeout(Duration::from_millis(100));
            })?;
        Ok(Listener {
            address: local,
            addresses,
            stop,
            thread: Some(thread),
            runtime: handle,
        })
    }
}

impl fmt::Debug for ListenerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerBuilder")
            .field("address", &self.address)
            .field("also", &self.also)
            .field("limits", &self.limits)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

async fn serve(
    sockets: Vec<Socket>,
    places: Arc<Places>,
    served: Served,
    grace: Duration,
    stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let accept = async {
        for turn in 0_usize.. {
            let stream = accepted(&sockets, turn).await;
            let place = places.enter().await;
            let stop = stop(stopped.clone());
            match stream {
                Accepted::Tcp(stream) => {
                    let served = served.clone();
                    connections.spawn(connection::serve(stream, reset, place, served, stop));
                }
                #[cfg(unix)]
                Accepted::Unix(stream) => {
                    let served = served.in_plain_text();
                    connections.spawn(connection::serve(stream, |_| {}, place, served, stop));
                }
            }
            while connections.try_join_next().is_some() {}
            // The request of one newcomer is read before the next comes in.
            tokio::task::yield_now().await;
        }
    };
    let renew = async {
        match &served.tls {
            Some(tls) => tls.renew().await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = accept => {}
        () = renew => {}
        () = stop(stopped.clone()) => {}
    }
    drop(sockets);
    let _ = tokio::time::timeout(grace, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
}

/// Serves one connection as a listener does that has no other.
pub(crate) async fn serve_alone<S>(stream: S, router: Router, limits: Limits)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let place = Places::new(limits, None).enter().await;
    let served = Served {
        router,
        request: limits.request,
        tls: None,
    };
    connection::serve(stream, |_| {}, place, served, pending()).await;
}

async fn stop(mut stopped: watch::Receiver<bool>) {
    // The sender lives in the handle; without it there is nothing left to stop us later.
    let _ = stopped.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests;
