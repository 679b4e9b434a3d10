use sysinfo::{DiskRefreshKind, Disks, MemoryRefreshKind, Networks, System};

use super::{Disk, Network, SystemSample, SystemSource};

/// Asks `sysinfo`. Whatever the system does not support stays `None` or empty.
pub(super) struct Sysinfo {
    system: Option<System>,
    disks: Option<Disks>,
    networks: Option<Networks>,
    /// CPU time is known from the second look on.
    looked: bool,
}

impl Sysinfo {
    pub(super) fn new() -> Self {
        Self {
            system: System::new().ok(),
            disks: Disks::new().ok(),
            networks: Networks::new().ok(),
            looked: false,
        }
    }
}

impl SystemSource for Sysinfo {
    fn sample(&mut self) -> SystemSample {
        let mut sample = SystemSample::default();
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
            let usage = f64::from(system.global_cpu_usage());
            sample.cpu_usage_percent = self.looked.then_some(usage);
            sample.memory_used_bytes = Some(system.used_memory());
            sample.memory_total_bytes = Some(system.total_memory());
            self.looked = true;
        }
        if let Some(disks) = &mut self.disks {
            disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage());
            sample.disks.extend(disks.iter().map(|disk| Disk {
                mount: disk.mount_point().to_string_lossy().into_owned(),
                free_bytes: disk.available_space(),
                total_bytes: disk.total_space(),
            }));
        }
        if let Some(networks) = &mut self.networks {
            networks.refresh(true);
            sample
                .networks
                .extend(networks.iter().map(|(name, data)| Network {
                    interface: name.to_string_lossy().into_owned(),
                    received_bytes: data.total_received(),
                    transmitted_bytes: data.total_transmitted(),
                }));
        }
        sample
    }
}
