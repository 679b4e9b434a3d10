use tokio::runtime::Handle;

use crate::collect;
use crate::registry::{DeclareError, Registry};

/// Shows the run-time that the service was installed on, if there is one.
pub(super) fn start(registry: &Registry) -> Result<(), DeclareError> {
    match Handle::try_current() {
        Ok(handle) => collect::runtime(registry, &handle),
        Err(_) => Ok(()),
    }
}
