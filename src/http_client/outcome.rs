use http::Version;

use super::error::ERROR;

/// How an outgoing request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There was a response, and its body ended in this way.
    Received(Received, BodyEnd),
    /// With an error of this kind, before the headers.
    Failed(&'static str),
    /// The future was dropped before there was a response.
    Cancelled,
    /// The service panicked.
    Panicked,
}

/// What the head of a response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(super) status: u16,
    pub(super) version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// It was read to its end, or the caller has read enough.
    Read,
    Failed,
    Panicked,
}

impl Outcome {
    /// What one label says of it: the status, or why there is none that counts.
    pub(super) fn label(self, digits: &mut itoa::Buffer) -> &str {
        match self {
            Self::Received(head, BodyEnd::Read) => digits.format(head.status),
            Self::Received(_, BodyEnd::Failed) => "body_error",
            Self::Received(_, BodyEnd::Panicked) | Self::Panicked => "panic",
            Self::Failed(kind) => kind,
            Self::Cancelled => "cancelled",
        }
    }

    /// What the response said, if there was one, whatever became of it afterwards.
    pub(super) fn received(self) -> Option<Received> {
        match self {
            Self::Received(head, _) => Some(head),
            Self::Failed(_) | Self::Cancelled | Self::Panicked => None,
        }
    }

    /// The status of a response that was read.
    pub(super) fn status(self) -> Option<u16> {
        match self {
            Self::Received(head, BodyEnd::Read) => Some(head.status),
            _ => None,
        }
    }

    /// Whether it is an error of which nothing more is known.
    pub(super) fn is_of_no_kind(self) -> bool {
        self == Self::Failed(ERROR)
    }
}
