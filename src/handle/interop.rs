use crate::interop;
use crate::registry::{DeclareError, Registry};

/// Exposes the metrics that the application and its dependencies registered with the `prometheus`
/// crate.
pub(super) fn start(registry: &Registry) -> Result<(), DeclareError> {
    interop::from_default(registry)
}
