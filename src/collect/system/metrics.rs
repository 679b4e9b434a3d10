use std::sync::Arc;

use super::{Disk, Network, SystemSample};
use crate::catalog::{Alias, Allowed, Kind, MetricDef};
use crate::config::{AUTOMATION, PIPELINE_GUARD, PLATFORM};
use crate::registry::Number::{F64, U64};
use crate::registry::{Figures, Number, SeriesSnapshot};

const MOUNT: &str = "mount";
const INTERFACE: &str = "interface";
const CPU_PERCENT: &str = "system_cpu_percent";

/// The metrics of a [`SystemSample`].
pub(super) fn figures(group: &'static str) -> Figures<Arc<SystemSample>> {
    let omitted = MetricDef::new(
        Kind::Gauge,
        "selfheal_system_omitted",
        "Mount points and network interfaces beyond the limit, not exposed",
    );
    let omitted = omitted
        .with_labels(["what"])
        .allow("what", Allowed::these([MOUNT, INTERFACE]));
    Figures::<Arc<SystemSample>>::new(group)
        .gauge(
            "system_cpu_usage_percent",
            "Share of the machine's CPU time in use between the last two samples",
            |sample| sample.cpu_usage_percent.map(F64),
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
            |sample| F64(sample.at),
        )
        .metric(
            of_disks(
                "system_disk_free_bytes",
                "Space available to this user, by mount point; each device once",
            ),
            |sample| disks(sample, |disk| Some(U64(disk.free_bytes))),
        )
        .metric(
            of_disks(
                "system_disk_total_bytes",
                "Total space, by mount point; each device once",
            ),
            |sample| disks(sample, |disk| Some(U64(disk.total_bytes))),
        )
        .metric(
            of_disks(
                "system_disk_percent",
                "Share of the space that is not free, by mount point",
            ),
            |sample| {
                disks(sample, |disk| {
                    let used = disk.total_bytes.saturating_sub(disk.free_bytes);
                    percent(used, disk.total_bytes)
                })
            },
        )
        .metric(
            of_networks(
                "system_network_receive_bytes_total",
                "Bytes received, by network interface",
            ),
            |sample| networks(sample, |network| network.received_bytes),
        )
        .metric(
            of_networks(
                "system_network_transmit_bytes_total",
                "Bytes transmitted, by network interface",
            ),
            |sample| networks(sample, |network| network.transmitted_bytes),
        )
        .metric(omitted, |sample| {
            let all = [
                (MOUNT, sample.omitted.mounts),
                (INTERFACE, sample.omitted.interfaces),
            ];
            // Exposed only if something was omitted.
            let some = all.into_iter().filter(|(_, omitted)| *omitted > 0);
            some.map(|(what, omitted)| SeriesSnapshot::new([("what", what)], U64(omitted as u64)))
                .collect()
        })
}

fn of_disks(name: &'static str, help: &'static str) -> MetricDef {
    MetricDef::new(Kind::Gauge, name, help).with_labels([MOUNT])
}

fn disks(sample: &SystemSample, read: fn(&Disk) -> Option<Number>) -> Vec<SeriesSnapshot> {
    let each = sample.disks.iter();
    each.filter_map(|disk| Some(SeriesSnapshot::new([(MOUNT, &*disk.mount)], read(disk)?)))
        .collect()
}

fn of_networks(name: &'static str, help: &'static str) -> MetricDef {
    MetricDef::new(Kind::Counter, name, help).with_labels([INTERFACE])
}

fn networks(sample: &SystemSample, read: fn(&Network) -> u64) -> Vec<SeriesSnapshot> {
    let each = sample.networks.iter();
    each.map(|one| SeriesSnapshot::new([(INTERFACE, &*one.interface)], U64(read(one))))
        .collect()
}

fn percent(part: u64, whole: u64) -> Option<Number> {
    (whole > 0).then(|| F64(part as f64 / whole as f64 * 100.0))
}
