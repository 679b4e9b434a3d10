//! The request body: the number of bytes read, and why it failed.

use std::any::Any;
use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::BoxError;
use bytes::Buf;
use http_body::{Body, Frame};

use super::protocol::Guard;
use super::state::{BROKEN_OFF, CLIENT_GONE};
use crate::exchange::Counts;
use crate::util::causes;

/// Counts the bytes in the body of a request.
#[derive(Debug)]
pub struct Upload(Arc<AtomicU64>);

impl Upload {
    /// The counter of a request's body, if it is recorded.
    #[inline]
    pub(super) fn of(guard: &mut Guard) -> Option<Self> {
        let state = guard.state_mut()?;
        Some(Self(state.progress.count_request()))
    }
}

impl<B: Body<Error: 'static>> Counts<B> for Upload {
    #[inline]
    fn passed(&mut self, frame: &Frame<B::Data>) {
        let bytes = frame.data_ref().map_or(0, Buf::remaining);
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn broken(&mut self, error: &B::Error) {
        let gone = client_is_gone(error).then_some(CLIENT_GONE);
        let why = BROKEN_OFF | gone.unwrap_or_default();
        self.0.fetch_or(why, Ordering::Relaxed);
    }
}

/// Whether the client is gone, by the error of the request body. If not, a layer has aborted the
/// body (for its size, its encoding or the time it took), or it is no valid HTTP, and the client
/// can still be answered.
#[cold]
fn client_is_gone(error: &dyn Any) -> bool {
    let error: Option<&(dyn Error + 'static)> = if let Some(error) = error.downcast_ref() {
        let error: &axum::Error = error;
        Some(error)
    } else if let Some(error) = error.downcast_ref::<hyper::Error>() {
        Some(error)
    } else if let Some(error) = error.downcast_ref::<BoxError>() {
        Some(&**error)
    } else if let Some(error) = error.downcast_ref::<io::Error>() {
        Some(error)
    } else {
        None
    };
    error.is_some_and(of_connection)
}

/// Whether the connection has failed, which the server reports as an error of hyper or of the
/// system.
fn of_connection(error: &(dyn Error + 'static)) -> bool {
    let of_hyper = causes(error).any(<dyn Error>::is::<hyper::Error>);
    let of_system = causes(error).filter_map(|error| error.downcast_ref::<io::Error>());
    match of_system.last().map(io::Error::kind) {
        // Invalid chunks, as hyper reports them.
        Some(ErrorKind::InvalidInput | ErrorKind::InvalidData) => false,
        Some(
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected,
        ) => true,
        _ => of_hyper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_is_lost_is_distinguished_from_a_body_that_is_cut() {
        let lost = || io::Error::from(ErrorKind::ConnectionReset);
        let boxed = |error: io::Error| -> BoxError { Box::new(io::Error::other(error)) };
        assert!(client_is_gone(&lost()) && client_is_gone(&boxed(lost())));
        assert!(client_is_gone(&axum::Error::new(boxed(lost()))));
        for kind in [ErrorKind::UnexpectedEof, ErrorKind::InvalidData] {
            assert!(!client_is_gone(&io::Error::from(kind)), "{kind}: bad gzip");
        }
        let limit: BoxError = "length limit exceeded".into();
        assert!(!client_is_gone(&limit) && !client_is_gone(&()));
    }
}
