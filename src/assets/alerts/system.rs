//! Alerts on the machine and the process: CPU, memory, disks, descriptors, the runtime.

use crate::assets::table::{Alert, AlertGroup};

const BUSY: &[&str] = &[
    "See which process takes it: this one (the second query) or another.",
    "Reduce the load, or add instances.",
];
const CPU_QUERIES: &[&str] = &[
    "system_cpu_usage_percent",
    "100 * rate(process_cpu_seconds_total[$w])",
];
const MEMORY_QUERIES: &[&str] = &["system_memory_used_bytes", "process_resident_memory_bytes"];
const SHED: &str = "If load is shed, requests are refused already.";

pub(super) static SYSTEM: AlertGroup = AlertGroup {
    name: "system",
    alerts: &[
        Alert {
            name: "CpuHigh",
            severity: "warning",
            hold: "2m",
            expr: "system_cpu_usage_percent > 80 <= 90",
            summary: "The CPU of {{ $labels.instance }} is busy: {{ $value | printf \"%.0f\" }} %",
            description: "The CPU of the machine of {{ $labels.instance }} has been over 80 % for two minutes; now it is {{ $value | printf \"%.1f\" }} %.",
            impact: "Requests begin to wait.",
            tried: SHED,
            steps: BUSY,
            queries: CPU_QUERIES,
            test: &["system_cpu_usage_percent 85x60 40x60"],
        },
        Alert {
            name: "CpuCritical",
            severity: "critical",
            hold: "1m",
            expr: "system_cpu_usage_percent > 90",
            summary: "The CPU of {{ $labels.instance }} is at its limit: {{ $value | printf \"%.0f\" }} %",
            description: "The CPU of the machine of {{ $labels.instance }} has been over 90 % for a minute; now it is {{ $value | printf \"%.1f\" }} %.",
            impact: "Requests wait.",
            tried: SHED,
            steps: BUSY,
            queries: CPU_QUERIES,
            test: &["system_cpu_usage_percent 97x60 40x60"],
        },
        Alert {
            name: "MemoryHigh",
            severity: "warning",
            hold: "2m",
            expr: "system_memory_percent > 85 <= 95",
            summary: "The memory of {{ $labels.instance }} fills: {{ $value | printf \"%.0f\" }} %",
            description: "The memory of the machine of {{ $labels.instance }} has been over 85 % for two minutes; now it is {{ $value | printf \"%.1f\" }} %.",
            impact: "None yet; when it is full, the system kills a process.",
            tried: "If a cache or another resource is guarded, it was emptied.",
            steps: BUSY,
            queries: MEMORY_QUERIES,
            test: &["system_memory_percent 90x60 50x60"],
        },
        Alert {
            name: "MemoryCritical",
            severity: "critical",
            hold: "1m",
            expr: "system_memory_percent > 95",
            summary: "The memory of {{ $labels.instance }} is full: {{ $value | printf \"%.0f\" }} %",
            description: "The memory of the machine of {{ $labels.instance }} has been over 95 % for a minute; now it is {{ $value | printf \"%.1f\" }} %.",
            impact: "The system is about to kill a process.",
            tried: "If a cache or another resource is guarded, it was emptied.",
            steps: BUSY,
            queries: MEMORY_QUERIES,
            test: &["system_memory_percent 98x60 50x60"],
        },
        Alert {
            name: "DiskFull",
            severity: "warning",
            hold: "5m",
            expr: "system_disk_percent > 90",
            summary: "{{ $labels.mount }} of {{ $labels.instance }} is {{ $value | printf \"%.0f\" }} % full",
            description: "{{ $labels.mount }} on the machine of {{ $labels.instance }} has been over 90 % full for five minutes; now it is {{ $value | printf \"%.1f\" }} %.",
            impact: "None yet; when it is full, nothing can be written: no journal, no log, no restored file.",
            tried: "Nothing: the engine does not delete files that it does not own.",
            steps: &[
                "Find what grew: logs, data, images.",
                "Delete or move it, or give the disk more space.",
            ],
            queries: &[
                "system_disk_free_bytes",
                "predict_linear(system_disk_free_bytes[6h], 86400)",
            ],
            test: &["system_disk_percent{job=\"shop\",instance=\"a\",mount=\"/\"} 95x60 40x60"],
        },
        Alert {
            name: "DescriptorsScarce",
            severity: "warning",
            hold: "5m",
            expr: "process_open_fds / process_max_fds > 0.8",
            summary: "{{ $labels.instance }} has {{ $value | humanizePercentage }} of its descriptors open",
            description: "For five minutes {{ $labels.instance }} has had more than 80 % of its limit of file descriptors open.",
            impact: "None yet; at the limit no connection is accepted and no file is opened.",
            tried: "Nothing.",
            steps: &[
                "See what they are: `ls -l /proc/PID/fd`.",
                "Close what leaks; raise the limit if it is all in use.",
            ],
            queries: &["process_open_fds", "http_requests_in_flight"],
            test: &[
                "process_open_fds 950x60 50x60",
                "process_max_fds 1024x60 1024x60",
            ],
        },
        Alert {
            name: "ContainerMemoryHigh",
            severity: "warning",
            hold: "5m",
            expr: "container_memory_percent > 90",
            summary: "{{ $labels.instance }} uses {{ $value | printf \"%.0f\" }} % of the memory of its container",
            description: "For five minutes the control group of {{ $labels.instance }} has used more than 90 % of its memory limit.",
            impact: "At the limit the process is killed.",
            tried: "If a cache or another resource is guarded, it was emptied.",
            steps: &[
                "See whether it grows without limit: then it leaks.",
                "If not, give the container more.",
            ],
            queries: &[
                "container_memory_used_bytes",
                "container_memory_limit_bytes",
            ],
            test: &["container_memory_percent 95x60 40x60"],
        },
        Alert {
            name: "RuntimeBusy",
            severity: "warning",
            hold: "5m",
            expr: "rate(tokio_worker_busy_seconds_total[$w]) / tokio_workers > 0.9",
            summary: "The workers of {{ $labels.instance }} are busy {{ $value | humanizePercentage }} of the time",
            description: "For five minutes the workers of the runtime of {{ $labels.instance }} have been busy nearly all the time.",
            impact: "Every task waits, including the one that answers `/livez`.",
            tried: "Nothing: a task that blocks its thread cannot be stopped.",
            steps: &[
                "Look for work that blocks: files, long loops, locks. Move it to `spawn_blocking`.",
                "If there is none, add workers or instances.",
            ],
            queries: &["tokio_global_queue_depth", "tokio_alive_tasks"],
            test: &[
                "tokio_worker_busy_seconds_total 0+118x60 0+10x60",
                "tokio_workers 2x60 2x60",
            ],
        },
        Alert {
            name: "MetricsLost",
            severity: "info",
            hold: "",
            expr: "sum by (job, instance, metric) (increase(selfheal_series_overflowed_total[1h])) > 0 or sum by (job, instance, metric) (increase(selfheal_values_rejected_total[1h])) > 0",
            summary: "Values of {{ $labels.metric }} are lost on {{ $labels.instance }}",
            description: "In the last hour {{ $labels.metric }} of {{ $labels.instance }} reached its limit of series, or rejected values.",
            impact: "Its figures are not exact: labels beyond the limit are counted in one series.",
            tried: "The overflow series keeps the sum.",
            steps: &[
                "Find the label with too many values, and bound it.",
                "If all are needed, raise the limit of the family.",
            ],
            queries: &["topk(10, sum by (metric) (selfheal_series_overflowed_total))"],
            test: &[
                "selfheal_series_overflowed_total{job=\"shop\",instance=\"a\",metric=\"m\"} 0+1x60 0+0x60",
            ],
        },
        Alert {
            name: "ScrapesFail",
            severity: "warning",
            hold: "5m",
            expr: "sum by (job, instance, reason) (rate(selfheal_scrapes_failed_total[$w])) > 0",
            summary: "Scrapes of {{ $labels.instance }} fail: {{ $labels.reason }}",
            description: "For five minutes some scrapes of {{ $labels.instance }} did not receive a whole page; the reason is {{ $labels.reason }}.",
            impact: "Graphs have gaps, and alerts come late.",
            tried: "Four pages are written at a time; the slowest scraper is disconnected.",
            steps: &[
                "`slow` and `gone`: the scraper or the network. `late` and `busy`: too many scrapers, or a collector that takes long.",
            ],
            queries: &["collector_duration_seconds", "scrape_duration_seconds"],
            test: &[
                "selfheal_scrapes_failed_total{job=\"shop\",instance=\"a\",reason=\"late\"} 0+1x60 0+0x60",
            ],
        },
    ],
};
