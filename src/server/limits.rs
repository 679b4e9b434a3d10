//! How long a peer of the listener may take, and how many peers there are.

use std::time::Duration;

/// Limits of a [`Listener`](super::Listener)'s connections. Whatever a peer does, it holds one
/// connection, within these limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The limit of connections with a request in progress, except probes (`/livez`, `/readyz` and
    /// `/health`); a further request replaces the slowest reader, or gets 503. There are 16 more
    /// connections for probes and new clients: if they are used up too, the connection that has
    /// gone longest without a complete request is closed. Default: 64.
    pub connections: usize,
    /// The time limit of a request's head, from the connection or its first byte. Default: 5 s.
    pub head: Duration,
    /// The idle timeout between two requests. Default: 30 s.
    pub idle: Duration,
    /// The time limit of a request's processing, after which it gets 503. A response not completely
    /// read a second later is aborted. Default: 10 s, the default timeout of Prometheus.
    pub request: Duration,
    /// The time limit for a peer to read 32 KiB of pending data, after which the connection is
    /// reset. Default: 5 s.
    pub stall: Duration,
    /// The time limit of requests in progress when the listener stops. Default: 5 s.
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
