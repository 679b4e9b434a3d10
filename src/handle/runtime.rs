use tokio::runtime::Handle;

use crate::collect;
use crate::registry::{DeclareError, Registry};

/// Exposes the metrics of the runtime that the service was installed on, if any.
pub(super) fn start(registry: &Registry) -> Result<(), DeclareError> {
    match Handle::try_current() {
        Ok(handle) => collect::runtime(registry, &handle),
        Err(_) => Ok(()),
    }
}
