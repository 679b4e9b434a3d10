//! The dashboard of the machine, the process and its runtime.

use super::{IS_HIGH, NO_KUBERNETES};
use crate::assets::table::{Dashboard, Panel};

const NO_LIMIT: &str = "Only in containers with limits.";

pub(super) static SYSTEM: Dashboard<'static> = Dashboard {
    uid: "system",
    title: "System resources",
    marks: &[],
    panels: &[
        Panel::gauge("CPU", "percent")
            .query("max(system_cpu_usage_percent)", "")
            .steps(IS_HIGH)
            .alert("CpuHigh"),
        Panel::gauge("Memory", "percent")
            .query("max(system_memory_percent)", "")
            .steps(IS_HIGH)
            .alert("MemoryHigh"),
        Panel::gauge("Fullest disk", "percent")
            .query("max(system_disk_percent)", "")
            .steps(IS_HIGH)
            .alert("DiskFull"),
        Panel::stat("Up for", "s")
            .query("min(uptime_seconds)", "")
            .alert("RestartedLately"),
        Panel::stat("Instances up", "none")
            .sum("up{job=~\"$job\"}", "")
            .alert("ServiceDown"),
        Panel::stat("Open descriptors", "percentunit")
            .query("max(process_open_fds / process_max_fds)", "")
            .alert("DescriptorsScarce"),
        Panel::row("Machine"),
        Panel::lines("CPU of the machine", "percent")
            .query("system_cpu_usage_percent", "{{instance}}"),
        Panel::lines("Memory of the machine", "bytes")
            .query("system_memory_used_bytes", "{{instance}} used")
            .query("system_memory_total_bytes", "{{instance}} total"),
        Panel::lines("Free space", "bytes")
            .query("system_disk_free_bytes", "{{instance}} {{mount}}"),
        Panel::lines("Space in use", "percent")
            .query("system_disk_percent", "{{instance}} {{mount}}"),
        Panel::lines("Network", "Bps")
            .rate(
                "system_network_receive_bytes_total",
                "{{instance}} {{interface}} received",
            )
            .rate(
                "system_network_transmit_bytes_total",
                "{{instance}} {{interface}} sent",
            ),
        Panel::lines("Age of these figures", "s")
            .query("time() - system_sample_timestamp_seconds", "{{instance}}"),
        Panel::row("Process"),
        Panel::lines("CPU of the process", "percentunit")
            .query("rate(process_cpu_seconds_total[$w])", "{{instance}}"),
        Panel::lines("Memory of the process", "bytes")
            .query("process_resident_memory_bytes", "{{instance}} resident")
            .query("process_virtual_memory_bytes", "{{instance}} virtual"),
        Panel::lines("Threads and descriptors", "none")
            .query("process_threads", "{{instance}} threads")
            .query("process_open_fds", "{{instance}} descriptors"),
        Panel::lines("Tasks of the runtime", "none")
            .query("tokio_alive_tasks", "{{instance}} alive")
            .query("tokio_global_queue_depth", "{{instance}} waiting"),
        Panel::lines("Workers busy", "percentunit")
            .query(
                "rate(tokio_worker_busy_seconds_total[$w]) / tokio_workers",
                "{{instance}}",
            )
            .alert("RuntimeBusy"),
        Panel::lines("Time of collectors", "s")
            .query("collector_duration_seconds", "{{instance}} {{collector}}"),
        Panel::row("Container and cluster"),
        Panel::lines("Memory of the container", "percent")
            .query("container_memory_percent", "{{instance}}")
            .alert("ContainerMemoryHigh")
            .empty(NO_LIMIT),
        Panel::lines("CPU of the container", "none")
            .query("rate(container_cpu_seconds_total[$w])", "{{instance}} used")
            .query("container_cpu_limit_cores", "{{instance}} limit")
            .empty(NO_LIMIT),
        Panel::lines("Restarts of containers", "none")
            .query(
                "increase(kube_pod_container_status_restarts_total[1h])",
                "{{pod}} {{container}}",
            )
            .alert("PodCrashLooping")
            .empty(NO_KUBERNETES),
        Panel::lines("Pods that are not ready", "none")
            .sum(
                "kube_pod_status_ready{condition=\"false\"}",
                "{{namespace}}",
            )
            .alert("PodNotReady")
            .empty(NO_KUBERNETES),
        Panel::row("Storage"),
        Panel::lines("Operations", "ops")
            .rate(
                "storage_operations_total",
                "{{backend}} {{operation}} {{status}}",
            )
            .alert("StorageFails"),
        Panel::lines("Time of operations, p95", "s").quantile(
            0.95,
            "storage_operation_duration_seconds",
            "{{backend}} {{operation}}",
        ),
        Panel::lines("Size", "bytes").query("storage_size_bytes", "{{backend}}"),
    ],
};
