//! The machine: CPU, memory, disks and network interfaces.

mod metrics;
mod sampler;
mod source;
mod sysinfo_source;

use std::sync::Arc;

use parking_lot::Mutex;

use crate::registry::{DeclareError, Group, Registry};
use crate::util::Clock;

pub use sampler::{SystemHandle, SystemSampler};
pub use source::{Disk, Network, SystemSample, SystemSource};

/// The maximum number of mount points that are exposed; those last by name are left out and counted
/// in `selfheal_system_omitted`.
pub const MAX_MOUNTS: usize = 64;

/// The maximum number of network interfaces that are exposed, likewise.
pub const MAX_INTERFACES: usize = 64;

/// Exposes metrics of the whole machine (not of a container in it): share of CPU time in use,
/// memory, space on disks by `mount`, bytes over the network by `interface`.
///
/// A device is shown once, at the mount point nearest to the root, however often it is mounted, so
/// that a sum over all mount points counts no byte twice. Mounts are one device if their device
/// number is the same (bind mounts, folders and single files of it), if they are subvolumes of one
/// `btrfs`, and if an overlay shows the space of another mount. Mounts that share space in other
/// ways, such as the datasets of a ZFS pool or the volumes of an APFS container, are each shown.
/// Another [`source`](SystemSampler::source) is shown unchanged.
///
/// Nothing is measured until the returned sampler is started, by [`SystemSampler::spawn`] or
/// [`SystemSampler::refresh`]. A scrape reads its last sample and never waits;
/// `system_sample_timestamp_seconds` is the time of that sample. Without a sampler the metrics have
/// no series.
///
/// Calling it again returns another sampler for the same metrics, which show the last sample.
///
/// ```
/// use selfheal::collect;
/// use selfheal::registry::Registry;
/// use selfheal::util::Clock;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::new();
/// let handle = collect::system(&registry, &Clock::system())?.spawn()?; // keep it
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// One of the names is already declared elsewhere.
pub fn system(registry: &Registry, clock: &Clock) -> Result<SystemSampler, DeclareError> {
    let System(state) = &*super::once::<System>(registry)?;
    Ok(SystemSampler::new(Arc::clone(state), clock.clone()))
}

struct System(Arc<State>);

impl Group for System {
    const NAME: &'static str = "system";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        let state = Arc::new(State::default());
        let latest = Arc::clone(&state);
        registry.collect_figures(metrics::figures(Self::NAME), move || latest.sample())?;
        Ok(Self(state))
    }
}

/// The last sample, and its sampler.
#[derive(Default)]
struct State(Mutex<Option<(Owner, Arc<SystemSample>)>>);

/// Identifies a sampler by the address of the allocation.
type Owner = Arc<()>;

impl State {
    fn set(&self, owner: &Owner, sample: SystemSample) {
        *self.0.lock() = Some((Arc::clone(owner), Arc::new(sample)));
    }

    /// Removes the sample if it is from this sampler.
    fn clear(&self, owner: &Owner) {
        self.0.lock().take_if(|(is, _)| Arc::ptr_eq(is, owner));
    }

    fn sample(&self) -> Option<Arc<SystemSample>> {
        let last = self.0.lock();
        last.as_ref().map(|(_, sample)| Arc::clone(sample))
    }
}
