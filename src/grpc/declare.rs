use std::borrow::Cow;

/// The streaming kind of a method.
///
/// It cannot be seen on the wire, where a stream of one message is like a unary call, so it has to
/// be declared, by hand or by a descriptor set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RpcKind {
    /// One request message, one response message.
    Unary,
    /// Many request messages, one response message.
    ClientStreaming,
    /// One request message, many response messages.
    ServerStreaming,
    /// Many request messages, many response messages.
    BidiStreaming,
}

impl RpcKind {
    pub(super) fn new(client_streams: bool, server_streams: bool) -> Self {
        match (client_streams, server_streams) {
            (false, false) => Self::Unary,
            (true, false) => Self::ClientStreaming,
            (false, true) => Self::ServerStreaming,
            (true, true) => Self::BidiStreaming,
        }
    }
}

/// A method of a service, to declare it to a layer. The name alone is enough:
///
/// ```
/// use selfheal::grpc::RpcMethod;
///
/// let check = RpcMethod::from("Check"); // of a kind that is not known
/// assert_ne!(check, RpcMethod::unary("Check"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcMethod {
    pub(super) name: Cow<'static, str>,
    pub(super) kind: Option<RpcKind>,
}

impl RpcMethod {
    /// Creates a method of this kind.
    pub fn new(name: impl Into<Cow<'static, str>>, kind: RpcKind) -> Self {
        Self {
            name: name.into(),
            kind: Some(kind),
        }
    }

    /// Creates a unary method.
    pub fn unary(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, RpcKind::Unary)
    }

    /// Creates a method to which the client sends a stream.
    pub fn client_streaming(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, RpcKind::ClientStreaming)
    }

    /// Creates a method that answers with a stream.
    pub fn server_streaming(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, RpcKind::ServerStreaming)
    }

    /// Creates a method with a stream in each direction.
    pub fn bidi_streaming(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, RpcKind::BidiStreaming)
    }
}

impl From<&'static str> for RpcMethod {
    fn from(name: &'static str) -> Self {
        Self {
            name: name.into(),
            kind: None,
        }
    }
}
