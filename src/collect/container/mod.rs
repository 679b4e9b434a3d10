//! Usage and limits of the container or other control group of the process.

mod cgroup;

use super::held::held;
use crate::registry::Number::{F64, U64};
use crate::registry::{DeclareError, Figures, Group, Registry};

use cgroup::Cgroup;

/// Exposes usage and limits of the process's control group, in addition to those of the machine:
/// memory, the CPU limit in cores, CPU time, and throttled time.
///
/// They are read at scrape time, at most ten times a second, from cgroup v2, or v1 if there is no
/// other. The lowest limit of the group and its ancestors counts. An unreadable value, and a missing
/// limit, is left out; outside of Linux there are none.
///
/// Calling it again has no effect.
///
/// # Errors
/// One of the names is already declared elsewhere.
pub fn container(registry: &Registry) -> Result<(), DeclareError> {
    super::once::<Container>(registry).map(drop)
}

struct Container;

impl Group for Container {
    const NAME: &'static str = "container";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        let cgroup = Cgroup::default();
        let read = held(registry.clock(), move || cgroup.read());
        registry.collect_figures(figures(), read)?;
        Ok(Self)
    }
}

/// Values of a control group; `None` if unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Usage {
    memory_bytes: Option<u64>,
    memory_limit_bytes: Option<u64>,
    cpu_limit_cores: Option<f64>,
    cpu_seconds: Option<f64>,
    throttled_seconds: Option<f64>,
}

fn figures() -> Figures<Usage> {
    Figures::<Usage>::new(Container::NAME)
        .gauge(
            "container_memory_used_bytes",
            "Memory used by the control group",
            |usage| usage.memory_bytes.map(U64),
        )
        .gauge(
            "container_memory_limit_bytes",
            "Memory limit of the control group",
            |usage| usage.memory_limit_bytes.map(U64),
        )
        .gauge(
            "container_memory_percent",
            "Share of its memory limit that the control group uses",
            |usage| {
                let limit = usage.memory_limit_bytes.filter(|limit| *limit > 0)?;
                Some(F64(usage.memory_bytes? as f64 / limit as f64 * 100.0))
            },
        )
        .gauge(
            "container_cpu_limit_cores",
            "CPU limit of the control group, in cores",
            |usage| usage.cpu_limit_cores.map(F64),
        )
        .counter(
            "container_cpu_seconds_total",
            "CPU time used by the control group",
            |usage| usage.cpu_seconds.map(F64),
        )
        .counter(
            "container_cpu_throttled_seconds_total",
            "Time for which the control group was throttled at its CPU limit",
            |usage| usage.throttled_seconds.map(F64),
        )
}
