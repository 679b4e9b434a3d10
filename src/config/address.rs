use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::faults::quote;

/// The prefix of a Unix socket's path in text.
const UNIX: &str = "unix:";

/// The address of a listener: an IP address with a port, or a Unix socket.
///
/// Its text form is `127.0.0.1:9898`, `[::1]:9898` or `unix:/run/shop.sock`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// IP address and port; port 0 selects a free one.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// The error for a text that is neither an address with a port nor a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is not an IP address and a port; write `127.0.0.1:9898`, `[::1]:9898` or `unix:/run/shop.sock`",
    quote(.0)
)]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        match text.strip_prefix(UNIX) {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err(AddressError(text.to_owned())),
            None => text
                .parse()
                .map(Self::Tcp)
                .map_err(|_| AddressError(text.to_owned())),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl From<PathBuf> for Address {
    fn from(path: PathBuf) -> Self {
        Self::Unix(path)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl Address {
    /// Whether the address is reachable from this machine only.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Serde for an address that must be an IP address with a port.
pub(super) mod tcp {
    use std::net::SocketAddr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::config::faults::quote;

    pub(in crate::config) fn serialize<S: Serializer>(
        address: &SocketAddr,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(address)
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<SocketAddr, D::Error> {
        let text = String::deserialize(from)?;
        text.trim().parse().map_err(|_| {
            let shown = quote(&text);
            de::Error::custom(format_args!(
                "{shown} is not an IP address and a port; write `127.0.0.1:9898` or `[::1]:9898`"
            ))
        })
    }
}
