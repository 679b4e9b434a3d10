//! Why the body of a request failed.

use std::any::Any;
use std::error::Error;
use std::io::{self, ErrorKind};

use axum::BoxError;

use crate::util::causes;

/// Whether the client is not there any more, by the error with which the body of its request
/// failed. If not, a layer has cut the body (for its size, its encoding or the time it took), or
/// what came is no HTTP, and whoever sent it can still be answered.
#[cold]
pub(super) fn client_is_gone(error: &dyn Any) -> bool {
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

/// Whether the connection is at the bottom of it, which the server says with an error of hyper
/// or one of the system.
fn of_connection(error: &(dyn Error + 'static)) -> bool {
    let of_hyper = causes(error).any(<dyn Error>::is::<hyper::Error>);
    let of_system = causes(error).filter_map(|error| error.downcast_ref::<io::Error>());
    match of_system.last().map(io::Error::kind) {
        // Chunks that contradict their lengths, as hyper reads them.
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
    fn a_connection_that_is_lost_is_told_from_a_body_that_is_cut() {
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
