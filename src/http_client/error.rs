//! Classifies errors into a small set of kinds.

use std::error::Error;
use std::io::ErrorKind;

use crate::util::causes;

/// The application's classifier, for errors that this crate does not know.
pub(super) type OwnKinds = dyn Fn(&(dyn Error + 'static)) -> Option<&'static str> + Send + Sync;

/// The kind of an unknown error.
pub(super) const ERROR: &str = "error";

/// The kind of an error: the first known one in its chain of causes.
pub(super) fn kind(error: &(dyn Error + 'static), own: Option<&OwnKinds>) -> Option<&'static str> {
    causes(error).find_map(|error| own.and_then(|own| own(error)).or_else(|| of_io(error)))
}

fn of_io(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let error = error.downcast_ref::<std::io::Error>()?;
    Some(match error.kind() {
        ErrorKind::ConnectionRefused => "connection_refused",
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => "connection_lost",
        ErrorKind::TimedOut => "timeout",
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            "unreachable"
        }
        _ if is_lookup(error) => "dns",
        _ => return None,
    })
}

/// Whether no address was found. The standard library's kind for this is not public, so the message
/// is compared.
fn is_lookup(error: &std::io::Error) -> bool {
    let text = error.to_string();
    text.starts_with("failed to lookup address information")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::BoxError;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] BoxError);

    #[test]
    fn the_first_cause_that_is_known_counts() {
        let refused =
            || -> BoxError { Box::new(std::io::Error::from(ErrorKind::ConnectionRefused)) };
        assert_eq!(kind(&*refused(), None), Some("connection_refused"));
        let outer = Outer(Box::new(Outer(refused())));
        assert_eq!(kind(&outer, None), Some("connection_refused"));
        let own = |error: &(dyn Error + 'static)| error.is::<Outer>().then_some("own");
        assert_eq!(kind(&outer, Some(&own)), Some("own"));
        assert_eq!(kind(&std::fmt::Error, None), None);
        assert_eq!(kind(&std::io::Error::other("odd"), None), None);
        let inside = std::io::Error::new(ErrorKind::InvalidData, Outer(refused()));
        assert_eq!(kind(&inside, Some(&own)), Some("own"));
        assert_eq!(kind(&inside, None), Some("connection_refused"));
    }
}
