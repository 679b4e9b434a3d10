use std::error::Error;

/// The limit of causes, since a chain may contain itself.
const DEPTH: usize = 32;

/// Iterates over an error and its causes, the outermost first, at most 32.
pub(crate) fn causes<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error)).take(DEPTH)
}

/// The cause of an error. The source of an [`std::io::Error`] skips the error inside it, where TLS
/// libraries put theirs, so that one is returned.
fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let io = error.downcast_ref::<std::io::Error>();
    match io.and_then(std::io::Error::get_ref) {
        Some(inside) => Some(inside),
        None => error.source(),
    }
}
