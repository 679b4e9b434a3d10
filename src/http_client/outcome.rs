use http::Version;

use super::error::ERROR;

/// The outcome of an outgoing request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A response was received, and its body ended in this way.
    Received(Received, BodyEnd),
    /// An error of this kind before the headers.
    Failed(&'static str),
    /// The future was dropped before there was a response.
    Cancelled,
    /// The service panicked.
    Panicked,
}

/// The relevant parts of a response's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(super) status: u16,
    pub(super) version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// Read to its end, or dropped by the caller.
    Read,
    Failed,
    Panicked,
}

impl Outcome {
    /// The label value: the status, or the reason why there is none that counts.
    pub(super) fn label(self, digits: &mut itoa::Buffer) -> &str {
        match self {
            Self::Received(head, BodyEnd::Read) => digits.format(head.status),
            Self::Received(_, BodyEnd::Failed) => "body_error",
            Self::Received(_, BodyEnd::Panicked) | Self::Panicked => "panic",
            Self::Failed(kind) => kind,
            Self::Cancelled => "cancelled",
        }
    }

    /// The response's head, if there was one, however its body ended.
    pub(super) fn received(self) -> Option<Received> {
        match self {
            Self::Received(head, _) => Some(head),
            Self::Failed(_) | Self::Cancelled | Self::Panicked => None,
        }
    }

    /// The status of a response whose body did not fail.
    pub(super) fn status(self) -> Option<u16> {
        match self {
            Self::Received(head, BodyEnd::Read) => Some(head.status),
            _ => None,
        }
    }

    /// Whether it is an error of unknown kind.
    pub(super) fn is_of_no_kind(self) -> bool {
        self == Self::Failed(ERROR)
    }
}
