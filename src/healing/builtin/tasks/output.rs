use std::convert::Infallible;
use std::fmt;

use crate::util::BoundedStr;

/// What a supervised task may return: `()`, a `Result` whose error can be shown, or `!`, which
/// is what the compiler takes a body for that ends in an endless `loop`.
#[diagnostic::on_unimplemented(
    message = "a supervised task cannot return `{Self}`",
    label = "returns `{Self}`",
    note = "let it return `()`, a `Result` whose error implements `Display`, or never"
)]
pub trait TaskOutput: Send + 'static {
    /// The error as text, if it is one.
    fn into_error(self) -> Option<BoundedStr>;
}

impl TaskOutput for () {
    fn into_error(self) -> Option<BoundedStr> {
        None
    }
}

impl<T: Send + 'static, E: fmt::Display + Send + 'static> TaskOutput for Result<T, E> {
    fn into_error(self) -> Option<BoundedStr> {
        self.err().map(|error| error.to_string().into())
    }
}

/// The type `!`, which has no name in stable Rust but that of what such a function returns.
type Never = <fn() -> ! as Returns>::Output;

trait Returns {
    type Output;
}

impl<T> Returns for fn() -> T {
    type Output = T;
}

#[expect(private_interfaces, reason = "the trait only spells the type `!`")]
impl TaskOutput for Never {
    fn into_error(self) -> Option<BoundedStr> {
        self
    }
}

impl TaskOutput for Infallible {
    fn into_error(self) -> Option<BoundedStr> {
        match self {}
    }
}
