use std::borrow::Cow;

/// How many messages go each way in a call of a method.
///
/// The wire does not say it: a stream of one message looks like a unary call. It is known
/// where it is declared, by hand or by a descriptor set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RpcKind {
    /// One message, one answer.
    Unary,
    /// Many messages, one answer.
    ClientStreaming,
    /// One message, many answers.
    ServerStreaming,
    /// Many messages, many answers.
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

/// A method of a service, as it is declared to a layer. The name alone will do:
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
    /// A method of that kind.
    pub fn new(name: impl Into<Cow<'static, str>>, kind: RpcKind) -> Self {
        Self {
            name: name.into(),
            kind: Some(kind),
        }
    }

    /// A unary method.
    pub fn unary(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, RpcKind::Unary)
    }

    /// A method to which the client sends a stream.
    pub fn client_streaming(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, RpcKind::ClientStreaming)
    }

    /// A method that answers with a stream.
    pub fn server_streaming(name: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name, RpcKind::ServerStreaming)
    }

    /// A method with a stream each way.
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
