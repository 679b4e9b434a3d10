//! Metrics of the process, the machine, the service and its async runtime.
//!
//! Each part is enabled by one call, independently of the others; enabling it again has no effect,
//! or updates it. Fast sources are read at scrape time; slow ones are sampled beforehand, so a
//! scrape never waits for them.
//!
//! | call | metrics | where |
//! |---|---|---|
//! | [`process`] | `process_*`, the standard names | `/proc/self` on Linux; elsewhere through `sysinfo` with the feature `system` |
//! | [`service`] | `service_info`, `build_info`, `uptime_seconds`, `uptime_seconds_total` | everywhere |
//! | [`container`] | `container_*` | cgroup v2 or v1 of Linux |
//! | `system` | `system_cpu_*`, `system_memory_*`, `system_disk_*`, `system_network_*` | feature `system` |
//! | `runtime` | `tokio_*` | feature `tokio-metrics` |
//!
//! ```
//! use selfheal::collect::{self, ServiceInfo};
//! use selfheal::registry::{DeclareError, Registry};
//! use selfheal::util::Clock;
//!
//! # fn main() -> Result<(), DeclareError> {
//! let registry = Registry::new();
//! collect::process(&registry)?;
//! let info = ServiceInfo::new(selfheal::build_info!()).label("team", "checkout");
//! collect::service(&registry, &Clock::system(), &info)?;
//!
//! let names: Vec<_> = registry.gather().iter().map(|f| f.def.name.to_string()).collect();
//! assert!(names.contains(&"service_info".to_owned()));
//! # Ok(())
//! # }
//! ```

mod container;
mod held;
mod process;
#[cfg(feature = "tokio-metrics")]
mod runtime;
mod service;
#[cfg(feature = "system")]
mod system;

use std::sync::Arc;

use parking_lot::Mutex;

use crate::registry::{DeclareError, Group, Registry};

pub use container::container;
pub use process::process;
#[cfg(feature = "tokio-metrics")]
pub(crate) use runtime::declare as declare_runtime;
#[cfg(feature = "tokio-metrics")]
pub use runtime::runtime;
pub use service::{BuildInfo, ServiceInfo, service};
#[cfg(feature = "system")]
pub use system::{
    Disk, MAX_INTERFACES, MAX_MOUNTS, Network, SystemHandle, SystemSample, SystemSampler,
    SystemSource, system,
};

/// Declares a group of this module once. Concurrent declarations are serialized, since both would
/// register a collector, and the second would be refused. No foreign code runs under the lock.
fn once<G: Group>(registry: &Registry) -> Result<Arc<G>, DeclareError> {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock();
    registry.group::<G>()
}
