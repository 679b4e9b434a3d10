use super::{Disk, Network, SystemSample};
use crate::catalog::{Alias, MetricDef};
use crate::collect::figures::Figures;
use crate::config::{AUTOMATION, PIPELINE_GUARD, PLATFORM};
use crate::registry::Number::{F64, U64};
use crate::registry::{FamilySnapshot, Number};

const MOUNT: &str = "mount";
const INTERFACE: &str = "interface";
const CPU_PERCENT: &str = "system_cpu_percent";

/// The metrics of a [`SystemSample`].
pub(super) struct Metrics {
    machine: Figures<SystemSample>,
    disk: Figures<Disk>,
    network: Figures<Network>,
    omitted: Figures<usize>,
}

impl Metrics {
    pub(super) fn new(group: &'static str) -> Self {
        Self {
            machine: machine(group),
            disk: disk(group),
            network: network(group),
            omitted: Figures::<usize>::new(group, Some("what"))
                .gauge(
                    "selfheal_system_omitted",
                    "Mount points and network interfaces beyond the limit, not exposed",
                    // Exposed only if something was omitted.
                    |omitted| (*omitted > 0).then_some(U64(*omitted as u64)),
                )
                .only(&[MOUNT, INTERFACE]),
        }
    }

    pub(super) fn describe(&self) -> Vec<MetricDef> {
        let mut defs = self.machine.describe();
        defs.extend(self.disk.describe());
        defs.extend(self.network.describe());
        defs.extend(self.omitted.describe());
        defs
    }

    pub(super) fn collect(&self, sample: &SystemSample, out: &mut Vec<FamilySnapshot>) {
        self.machine.collect(sample, out);
        let disks = sample.disks.iter().map(|disk| (&*disk.mount, disk));
        self.disk.collect_each(&disks.collect::<Vec<_>>(), out);
        let networks = sample.networks.iter();
        let networks = networks.map(|network| (&*network.interface, network));
        self.network
            .collect_each(&networks.collect::<Vec<_>>(), out);
        let omitted = [
            (MOUNT, &sample.omitted.mounts),
            (INTERFACE, &sample.omitted.interfaces),
        ];
        self.omitted.collect_each(&omitted, out);
    }
}

fn machine(group: &'static str) -> Figures<SystemSample> {
    Figures::new(group, None)
        .gauge(
            "system_cpu_usage_percent",
            "Share of the machine's CPU time in use between the last two samples",
            |sample: &SystemSample| sample.cpu_usage_percent.map(F64),
        )
        .alias(Alias::new(PLATFORM, "cpu_usage").with_instance("pod"))
        .alias(Alias::new(AUTOMATION, CPU_PERCENT))
        .alias(Alias::new(PIPELINE_GUARD, CPU_PERCENT))
        .gauge(
            "system_memory_used_bytes",
            "Memory of the machine in use",
            |sample| sample.memory_used_bytes.map(U64),
        )
        .gauge(
            "system_memory_total_bytes",
            "Memory of the machine",
            |sample| sample.memory_total_bytes.map(U64),
        )
        .gauge(
            "system_memory_percent",
            "Share of the machine's memory in use",
            |sample| percent(sample.memory_used_bytes?, sample.memory_total_bytes?),
        )
        .alias(Alias::new(PLATFORM, "memory_usage").with_instance("pod"))
        .gauge(
            "system_sample_timestamp_seconds",
            "When the figures of the machine were taken, in seconds since 1970",
            |sample| Some(F64(sample.at)),
        )
}

fn disk(group: &'static str) -> Figures<Disk> {
    Figures::new(group, Some(MOUNT))
        .gauge(
            "system_disk_free_bytes",
            "Space available to this user, by mount point; each device once",
            |disk: &Disk| Some(U64(disk.free_bytes)),
        )
        .gauge(
            "system_disk_total_bytes",
            "Total space, by mount point; each device once",
            |disk| Some(U64(disk.total_bytes)),
        )
        .gauge(
            "system_disk_percent",
            "Share of the space that is not free, by mount point",
            |disk| {
                let used = disk.total_bytes.saturating_sub(disk.free_bytes);
                percent(used, disk.total_bytes)
            },
        )
}

fn network(group: &'static str) -> Figures<Network> {
    Figures::new(group, Some(INTERFACE))
        .counter(
            "system_network_receive_bytes_total",
            "Bytes received, by network interface",
            |network: &Network| Some(U64(network.received_bytes)),
        )
        .counter(
            "system_network_transmit_bytes_total",
            "Bytes transmitted, by network interface",
            |network| Some(U64(network.transmitted_bytes)),
        )
}

fn percent(part: u64, whole: u64) -> Option<Number> {
    (whole > 0).then(|| F64(part as f64 / whole as f64 * 100.0))
}
