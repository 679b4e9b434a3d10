use crate::interop;
use crate::registry::{DeclareError, Registry};

/// What the application and its dependencies have registered with the `prometheus` crate comes
/// out on our page as well.
pub(super) fn start(registry: &Registry) -> Result<(), DeclareError> {
    interop::from_default(registry)
}
