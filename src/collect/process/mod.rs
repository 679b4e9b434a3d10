//! The standard metrics of a process.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(any(target_os = "linux", feature = "system")))]
mod none;
#[cfg(any(target_os = "linux", test))]
mod parse;
// Compiled for tests on Linux too, so that it is tested where this crate is developed.
#[cfg(all(feature = "system", any(test, not(target_os = "linux"))))]
mod portable;

use super::held::held;
use crate::catalog::Alias;
use crate::config::AUTOMATION;
use crate::registry::Number::{F64, U64};
use crate::registry::{DeclareError, Figures, Group, Registry};

#[cfg(target_os = "linux")]
use linux::Linux as Source;
#[cfg(not(any(target_os = "linux", feature = "system")))]
use none::Nothing as Source;
#[cfg(all(feature = "system", not(target_os = "linux")))]
use portable::Portable as Source;

/// Exposes the standard `process_*` metrics, without namespace, named as in every Prometheus
/// client: CPU seconds, resident and virtual memory, open and maximum file descriptors, threads,
/// start time, bytes received and transmitted.
///
/// They are read at scrape time, at most ten times a second, on Linux from `/proc/self` (some
/// 0.2 ms). An unreadable value is left out. The start time stays if the wall clock is set by seconds, and follows a step of more
/// than an hour, as on a machine without a hardware clock, which starts in 1970. An "unlimited"
/// limit is 2⁶⁴ − 1, as in the Go client. The bytes are those of the network namespace of the
/// process, IPv4 and IPv6: Linux does not count them by process. Elsewhere the values come from
/// `sysinfo`, with the feature `system`, as far as it has them; without it there are none.
///
/// Calling it again has no effect.
///
/// # Errors
/// A metric of the same name and another kind is already declared, or another collector of ours
/// yields it.
pub fn process(registry: &Registry) -> Result<(), DeclareError> {
    super::once::<Process>(registry).map(drop)
}

struct Process;

impl Group for Process {
    const NAME: &'static str = "process";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        let source = Source::default();
        let read = held(registry.clock(), move || source.read());
        registry.collect_figures(figures(), read)?;
        Ok(Self)
    }
}

/// Values of the process; `None` if the system does not report one.
#[derive(Clone, Copy, Debug, Default)]
struct ProcessFigures {
    cpu_seconds: Option<f64>,
    resident_bytes: Option<u64>,
    virtual_bytes: Option<u64>,
    virtual_max_bytes: Option<u64>,
    open_fds: Option<u64>,
    max_fds: Option<u64>,
    threads: Option<u64>,
    start_time_seconds: Option<f64>,
    received_bytes: Option<u64>,
    transmitted_bytes: Option<u64>,
}

fn figures() -> Figures<ProcessFigures> {
    Figures::<ProcessFigures>::new(Process::NAME)
        .standard_names()
        .counter(
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds",
            |read| read.cpu_seconds.map(F64),
        )
        .gauge(
            "process_resident_memory_bytes",
            "Resident memory size in bytes",
            |read| read.resident_bytes.map(U64),
        )
        .gauge(
            "process_virtual_memory_bytes",
            "Virtual memory size in bytes",
            |read| read.virtual_bytes.map(U64),
        )
        .gauge(
            "process_virtual_memory_max_bytes",
            "Maximum amount of virtual memory available in bytes",
            |read| read.virtual_max_bytes.map(U64),
        )
        .gauge(
            "process_open_fds",
            "Number of open file descriptors",
            |read| read.open_fds.map(U64),
        )
        .alias(Alias::new(AUTOMATION, "process_open_file_descriptors"))
        .gauge(
            "process_max_fds",
            "Maximum number of open file descriptors",
            |read| read.max_fds.map(U64),
        )
        .gauge(
            "process_threads",
            "Number of threads of the process",
            |read| read.threads.map(U64),
        )
        .alias(Alias::new(AUTOMATION, "process_threads_count"))
        .gauge(
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds",
            |read| read.start_time_seconds.map(F64),
        )
        .counter(
            "process_network_receive_bytes_total",
            "Number of bytes received by the process over the network",
            |read| read.received_bytes.map(U64),
        )
        .counter(
            "process_network_transmit_bytes_total",
            "Number of bytes sent by the process over the network",
            |read| read.transmitted_bytes.map(U64),
        )
}
