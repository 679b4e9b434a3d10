use std::fmt;

/// Which side of the wire a layer is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Server,
    Client,
}

/// A side as a type, so that each has metrics of its own.
pub trait OneSide: Clone + Copy + fmt::Debug + Send + Sync + 'static {
    const SIDE: Side;

    /// What is one thing on a server and another on a client.
    fn either<T>(server: T, client: T) -> T {
        match Self::SIDE {
            Side::Server => server,
            Side::Client => client,
        }
    }
}

/// The calls that a server answers.
#[derive(Clone, Copy, Debug)]
pub enum Served {}

/// The calls that a client makes.
#[derive(Clone, Copy, Debug)]
pub enum Made {}

impl OneSide for Served {
    const SIDE: Side = Side::Server;
}

impl OneSide for Made {
    const SIDE: Side = Side::Client;
}
