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
use super::limits::Limits;
use super::pages::AT_ONCE;
use super::places::Places;
use super::refused::{Refused, refused};
use super::tls::{Tls, TlsError};
use crate::config::{self, Address};
use crate::registry::Registry;

/// The limit of blocking threads besides those that write pages, started on demand: for the healing
/// engine of a program without a runtime. They do not reduce the threads for pages.
const OTHERS: usize = 32;

/// The error of starting a listener.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address cannot be bound.
    #[error(
        "cannot listen on {address}: {source}; choose another address, or port 0 for any free port"
    )]
    Bind {
        /// The requested address.
        address: Address,
        /// The error of the operating system.
        source: io::Error,
    },
    /// TLS cannot be set up.
    #[error("cannot speak TLS: {0}")]
    Tls(#[from] TlsError),
    /// The thread or its runtime could not be started.
    #[error(
        "cannot start the thread of the listener: {source}; the process may be out of threads or memory"
    )]
    Thread {
        /// The error of the operating system.
        #[from]
        source: io::Error,
    },
}

/// A listener with its own thread and runtime: it answers while the host's threads are busy, and
/// works in programs without async code.
///
/// It stops when it is dropped or [shut down](Listener::shutdown): it accepts no further connection
/// and finishes the requests in progress, within [`Limits::grace`]. The drop blocks until then, so
/// in async code use `spawn_blocking`.
#[must_use = "the listener stops when it is dropped"]
pub struct Listener {
    address: SocketAddr,
    addresses: Vec<Address>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    /// The runtime of its thread.
    runtime: Arc<Handle>,
}

impl Listener {
    /// Binds `address` and serves `router` there, in plain text; [`builder`](Self::builder) has
    /// more options. Port 0 selects a free one; see [`address`](Listener::address).
    ///
    /// # Errors
    /// [`ListenError::Bind`] if the address is in use or cannot be bound, and
    /// [`ListenError::Thread`] if the thread or its runtime cannot be started.
    pub fn spawn(address: SocketAddr, router: Router, limits: Limits) -> Result<Self, ListenError> {
        Self::builder(address, router).limits(limits).spawn()
    }

    /// Starts building a listener that serves `router` at `address`.
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

    /// Returns the bound address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns all bound addresses, in the given order.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The runtime of its thread, which exists until the listener stops.
    #[cfg_attr(
        not(feature = "healing"),
        expect(dead_code, reason = "nothing else runs there")
    )]
    pub(crate) fn runtime(&self) -> Weak<Handle> {
        Arc::downgrade(&self.runtime)
    }

    /// Stops and waits until the requests in progress are finished, at most [`Limits::grace`].
    pub fn shutdown(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // An error means that the thread panicked; there is nothing to wait for.
            let _ = thread.join();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.end();
    }
}

/// Builder of a [`Listener`]; created by [`Listener::builder`].
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
    /// Sets the limits of connections. Default: [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds an address to listen on; all addresses share the limits. A Unix socket has no TLS; its
    /// file has mode 0600 and is removed at the end. Default: no further address.
    pub fn also(mut self, address: impl Into<Address>) -> Self {
        self.also.push(address.into());
        self
    }

    /// Enables TLS with these files, and HTTP/2 for clients that offer it. Needs the feature `tls`.
    /// Default: plain text.
    pub fn tls(mut self, files: config::Tls) -> Self {
        self.tls = Some(files);
        self
    }

    /// Counts refusals in `selfheal_connections_refused_total` of `registry`, by `reason`. Default:
    /// not counted.
    pub fn counted(mut self, registry: &Registry) -> Self {
        self.refused = refused(registry);
        self
    }

    /// Binds the addresses, loads the TLS files and starts the listener.
    ///
    /// # Errors
    /// [`ListenError::Bind`] if an address is in use or cannot be bound, [`ListenError::Tls`] if
    /// the files cannot be used, and [`ListenError::Thread`] if the thread or its runtime cannot be
    /// started.
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
                // A hanging collector must not hang the process.
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
            // The request of a new connection is read before the next one is accepted.
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

/// Serves one connection as a listener without others would.
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
    // The handle owns the sender; without it nothing can stop the listener later.
    let _ = stopped.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests;
