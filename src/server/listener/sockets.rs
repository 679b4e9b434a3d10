//! The sockets of a listener, and their incoming connections.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::time::sleep;

use crate::config::Address;

/// The kernel's send buffer of a connection; Linux doubles it. The default would be megabytes.
const SEND_BUFFER: u32 = 256 * 1024;

/// The number of connections that the kernel queues for accept.
const BACKLOG: u32 = 1024;

/// The pause after a failed accept, such as without free file descriptors, which ending connections
/// release.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) enum Accepted {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

pub(super) enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, super::unix::File),
}

impl Socket {
    pub(super) fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => bound(*address).map(Self::Tcp),
            Address::Unix(path) => Self::unix(path),
        }
    }

    #[cfg(unix)]
    fn unix(path: &Path) -> io::Result<Self> {
        let (socket, file) = super::unix::bound(path)?;
        Ok(Self::Unix(socket, file))
    }

    #[cfg(not(unix))]
    fn unix(_: &Path) -> io::Result<Self> {
        let problem = "this system has no Unix sockets";
        Err(io::Error::new(io::ErrorKind::Unsupported, problem))
    }

    pub(super) fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(socket) => socket.local_addr().map(Address::Tcp),
            #[cfg(unix)]
            Self::Unix(_, file) => Ok(Address::Unix(file.path().to_owned())),
        }
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        match self {
            Self::Tcp(socket) => socket.poll_accept(cx).map_ok(|(stream, _)| {
                // Without it, small responses may be delayed.
                let _ = stream.set_nodelay(true);
                Accepted::Tcp(stream)
            }),
            #[cfg(unix)]
            Self::Unix(socket, _) => socket
                .poll_accept(cx)
                .map_ok(|(stream, _)| Accepted::Unix(stream)),
        }
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // Otherwise the port is unavailable until the last connection has timed out.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts the next connection, retrying on errors. The sockets take turns, starting at `turn`.
pub(super) async fn accepted(sockets: &[Socket], turn: usize) -> Accepted {
    loop {
        let next = poll_fn(|cx| {
            let (before, after) = sockets.split_at(turn % sockets.len().max(1));
            for socket in after.iter().chain(before) {
                if let Poll::Ready(accepted) = socket.poll_accept(cx) {
                    return Poll::Ready(accepted);
                }
            }
            Poll::Pending
        });
        match next.await {
            Ok(accepted) => return accepted,
            // The peer has already disconnected.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                ) => {}
            Err(_) => sleep(PAUSE).await,
        }
    }
}
