use std::error::Error;

/// How many errors deep causes are looked for; a chain that ends in itself must end.
const DEPTH: usize = 32;

/// An error and what it stems from, the outermost first, at most 32.
pub(crate) fn causes<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error)).take(DEPTH)
}

/// What an error stems from. An [`std::io::Error`] shows the source of the error inside it, and
/// not that one itself, which is where TLS libraries put theirs.
fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let io = error.downcast_ref::<std::io::Error>();
    match io.and_then(std::io::Error::get_ref) {
        Some(inside) => Some(inside),
        None => error.source(),
    }
}
