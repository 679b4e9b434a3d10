use std::collections::BTreeMap;

use sysinfo::{DiskRefreshKind, Disks, MemoryRefreshKind, Networks, System};

use super::{Disk, Network, SystemSample, SystemSource};

/// Queries `sysinfo`. Values that the system does not support stay `None` or empty.
pub(super) struct Sysinfo {
    system: Option<System>,
    disks: Option<Disks>,
    networks: Option<Networks>,
    /// Whether it was read before: CPU time is known from the second reading on.
    read_before: bool,
}

impl Sysinfo {
    pub(super) fn new() -> Self {
        Self {
            system: System::new().ok(),
            disks: Disks::new().ok(),
            networks: Networks::new().ok(),
            read_before: false,
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
            sample.cpu_usage_percent = self.read_before.then_some(usage);
            sample.memory_used_bytes = Some(system.used_memory());
            sample.memory_total_bytes = Some(system.total_memory());
            self.read_before = true;
        }
        if let Some(disks) = &mut self.disks {
            disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage());
            let mounts = disks.iter().map(|disk| Mount {
                device: match &*disk.file_system().to_string_lossy() {
                    "btrfs" => Device::Source(disk.name().to_string_lossy().into_owned()),
                    "overlay" => Device::Borrowed,
                    _ => disk.id().map_or(Device::Unknown, Device::Number),
                },
                disk: Disk {
                    mount: disk.mount_point().to_string_lossy().into_owned(),
                    free_bytes: disk.available_space(),
                    total_bytes: disk.total_space(),
                },
            });
            sample.disks = each_device_once(mounts.collect());
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

/// A mount point, and the device of its space.
struct Mount {
    device: Device,
    disk: Disk,
}

/// The identity of a device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Device {
    /// The device number (`st_dev`): bind mounts have that of the original, and two `tmpfs` of the
    /// same name have different ones.
    Number(u64),
    /// The mount source: each subvolume of `btrfs` has a separate device number.
    Source(String),
    /// An overlay has no space of its own: it shows that of the file system of its upper layer,
    /// which cannot be queried from inside a container.
    Borrowed,
    Unknown,
}

/// The mount nearest to the root for each device, so that a sum over all counts no byte twice.
fn each_device_once(mut mounts: Vec<Mount>) -> Vec<Disk> {
    // A stable sort: of mounts over each other, the last one, which is visible, stays last.
    mounts.sort_by(|a, b| nearness(&a.disk).cmp(&nearness(&b.disk)));
    let mut seen: BTreeMap<Device, String> = BTreeMap::new();
    let (mut known, mut rest) = (Vec::new(), Vec::new());
    for Mount { device, disk } in mounts {
        match device {
            Device::Borrowed => rest.push(disk),
            Device::Unknown => known.push(disk),
            device => {
                let first = seen.entry(device).or_insert_with(|| disk.mount.clone());
                if *first == disk.mount {
                    known.push(disk);
                }
            }
        }
    }
    for overlay in rest {
        match known.iter_mut().find(|disk| same_space(disk, &overlay)) {
            None => known.push(overlay),
            Some(disk) if nearness(&overlay) < nearness(disk) => *disk = overlay,
            Some(_) => {}
        }
    }
    known
}

/// The sort key of a mount: the root first, then by depth and name, so that the order is stable.
fn nearness(disk: &Disk) -> (usize, &str) {
    let parts = disk
        .mount
        .split(['/', '\\'])
        .filter(|part| !part.is_empty());
    (parts.count(), &disk.mount)
}

/// Whether an overlay shows the space of this disk. They are read one after the other, so free
/// space may differ by writes in between.
fn same_space(disk: &Disk, overlay: &Disk) -> bool {
    let apart = disk.free_bytes.abs_diff(overlay.free_bytes);
    disk.total_bytes == overlay.total_bytes && apart <= disk.total_bytes / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(device: Device, mount: &str, free_bytes: u64, total_bytes: u64) -> Mount {
        let mount = mount.to_owned();
        Mount {
            device,
            disk: Disk {
                mount,
                free_bytes,
                total_bytes,
            },
        }
    }

    /// The remaining mount points, and the sum of all space.
    fn counted(mounts: Vec<Mount>) -> (Vec<String>, u64) {
        let disks = each_device_once(mounts);
        let sum = disks.iter().map(|disk| disk.total_bytes).sum();
        (disks.into_iter().map(|disk| disk.mount).collect(), sum)
    }

    #[test]
    fn a_device_counts_once_however_often_it_is_mounted() {
        use Device::{Borrowed, Number, Source, Unknown};
        let btrfs = || Source("/dev/sda2".to_owned());
        let cases = [
            (
                "bind mounts, of folders and of files",
                vec![
                    mount(Number(8), "/etc/hosts", 3, 100),
                    mount(Number(8), "/data/b", 3, 100),
                    mount(Number(8), "/", 3, 100),
                    mount(Number(8), "/data/a", 3, 100),
                    mount(Number(8), "/home", 3, 100),
                ],
                (vec!["/"], 100),
            ),
            (
                "subvolumes of btrfs",
                vec![mount(btrfs(), "/home", 3, 100), mount(btrfs(), "/", 3, 100)],
                (vec!["/"], 100),
            ),
            (
                "two tmpfs of one name and size; a loop device is a device",
                vec![
                    mount(Number(30), "/dev/shm", 50, 50),
                    mount(Number(31), "/tmp", 50, 50),
                    mount(Number(1792), "/mnt/image", 50, 50),
                ],
                (vec!["/tmp", "/dev/shm", "/mnt/image"], 150),
            ),
            (
                "a container: overlay over the disk that its files come from",
                vec![
                    mount(Borrowed, "/", 4000, 100_000),
                    mount(Number(8), "/etc/hosts", 4001, 100_000),
                    mount(Number(8), "/etc/hostname", 4001, 100_000),
                    mount(Number(9), "/data", 90_000, 100_000),
                ],
                (vec!["/data", "/"], 200_000),
            ),
            (
                "a host of containers: overlays over its root",
                vec![
                    mount(Number(8), "/", 4000, 100_000),
                    mount(Borrowed, "/var/lib/a/merged", 4000, 100_000),
                    mount(Borrowed, "/var/lib/b/merged", 3999, 100_000),
                ],
                (vec!["/"], 100_000),
            ),
            (
                "nothing is known of the device",
                vec![mount(Unknown, "C:\\", 1, 10), mount(Unknown, "D:\\", 1, 10)],
                (vec!["C:\\", "D:\\"], 20),
            ),
        ];
        for (what, mounts, (want, sum)) in cases {
            let want = want.into_iter().map(str::to_owned).collect();
            assert_eq!(counted(mounts), (want, sum), "{what}");
        }
    }

    #[test]
    fn of_mounts_over_each_other_the_last_is_seen() {
        let disks = each_device_once(vec![
            mount(Device::Number(8), "/data", 1, 10),
            mount(Device::Number(9), "/data", 2, 20),
        ]);
        let sample = SystemSample {
            disks,
            ..SystemSample::default()
        };
        let seen = sample.bounded().disks;
        assert_eq!((seen.len(), seen[0].total_bytes), (1, 20));
    }
}
