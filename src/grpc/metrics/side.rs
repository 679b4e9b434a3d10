use std::fmt;

/// The side of a layer: server or client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Server,
    Client,
}

/// A side as a type, so that each side has its own metrics.
pub trait OneSide: Clone + Copy + fmt::Debug + Send + Sync + 'static {
    const SIDE: Side;

    /// Selects the value for this side.
    fn either<T>(server: T, client: T) -> T {
        match Self::SIDE {
            Side::Server => server,
            Side::Client => client,
        }
    }
}

/// The side of a server.
#[derive(Clone, Copy, Debug)]
pub enum Served {}

/// The side of a client.
#[derive(Clone, Copy, Debug)]
pub enum Made {}

impl OneSide for Served {
    const SIDE: Side = Side::Server;
}

impl OneSide for Made {
    const SIDE: Side = Side::Client;
}
