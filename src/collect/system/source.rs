use super::{MAX_INTERFACES, MAX_MOUNTS};

/// A sample of a machine at one moment; `None` for an unknown value.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SystemSample {
    /// The share of CPU time in use since the previous sample, 0 to 100 over all CPUs.
    pub cpu_usage_percent: Option<f64>,
    /// Memory in use, in bytes.
    pub memory_used_bytes: Option<u64>,
    /// Total memory, in bytes.
    pub memory_total_bytes: Option<u64>,
    /// Space by mount point, each device once.
    pub disks: Vec<Disk>,
    /// Traffic by interface.
    pub networks: Vec<Network>,
    /// Number of mount points and interfaces left out.
    pub(super) omitted: Omitted,
    /// Time of the sample, in seconds since 1970.
    pub(super) at: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Omitted {
    pub(super) mounts: usize,
    pub(super) interfaces: usize,
}

/// The space on one file system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Disk {
    /// The mount point.
    pub mount: String,
    /// Space available to this user, in bytes.
    pub free_bytes: u64,
    /// Total space, in bytes.
    pub total_bytes: u64,
}

/// The traffic of one network interface since it came up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    /// The interface's name.
    pub interface: String,
    /// Bytes received.
    pub received_bytes: u64,
    /// Bytes transmitted.
    pub transmitted_bytes: u64,
}

/// The source of samples: `sysinfo` unless [`SystemSampler::source`] sets another. It may be slow:
/// only the sampler calls it, never a scrape. If it panics, the previous sample stays.
///
/// Implemented for closures.
///
/// [`SystemSampler::source`]: super::SystemSampler::source
pub trait SystemSource: Send + 'static {
    /// Takes a sample.
    fn sample(&mut self) -> SystemSample;
}

impl<F: FnMut() -> SystemSample + Send + 'static> SystemSource for F {
    fn sample(&mut self) -> SystemSample {
        self()
    }
}

impl SystemSample {
    /// Sorts the entries, with each name once, and cuts them to what can be exposed.
    pub(super) fn bounded(mut self) -> Self {
        // Of file systems mounted over each other, the last is visible, so it comes first among
        // equals.
        self.disks.reverse();
        self.disks.sort_by(|a, b| a.mount.cmp(&b.mount));
        self.disks.dedup_by(|b, a| a.mount == b.mount);
        self.networks.sort();
        self.networks.dedup_by(|b, a| a.interface == b.interface);
        self.omitted = Omitted {
            mounts: self.disks.len().saturating_sub(MAX_MOUNTS),
            interfaces: self.networks.len().saturating_sub(MAX_INTERFACES),
        };
        self.disks.truncate(MAX_MOUNTS);
        self.networks.truncate(MAX_INTERFACES);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(mount: &str, free_bytes: u64) -> Disk {
        Disk {
            mount: mount.to_owned(),
            free_bytes,
            total_bytes: 10,
        }
    }

    #[test]
    fn names_are_there_once_and_in_order() {
        let sample = SystemSample {
            disks: vec![disk("/b", 1), disk("/a", 2), disk("/b", 3)],
            ..SystemSample::default()
        };
        assert_eq!(sample.bounded().disks, [disk("/a", 2), disk("/b", 3)]);
    }

    #[test]
    fn what_is_too_many_is_left_out_and_counted() {
        let network = |n: usize| Network {
            interface: format!("veth{n:05}"),
            received_bytes: 0,
            transmitted_bytes: 0,
        };
        let sample = SystemSample {
            disks: (0..MAX_MOUNTS + 3)
                .map(|n| disk(&format!("/{n:05}"), 0))
                .collect(),
            networks: (0..MAX_INTERFACES).map(network).collect(),
            ..SystemSample::default()
        }
        .bounded();
        assert_eq!(sample.disks.len(), MAX_MOUNTS);
        assert_eq!(sample.disks[0].mount, "/00000");
        assert_eq!((sample.omitted.mounts, sample.omitted.interfaces), (3, 0));
    }
}
