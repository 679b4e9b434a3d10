use std::convert::Infallible;
use std::fmt;

use crate::util::BoundedStr;

/// The output of a supervised task: `()`, a `Result` whose error implements `Display`, or `!`, the
/// inferred type of a body that ends in an endless `loop`.
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

/// The type `!`, which stable Rust can only name as the return type of a function.
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
