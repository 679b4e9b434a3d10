//! The kernel's figures of a thread.

use std::fs;
use std::ops::Sub;
use std::process::{Command, Stdio};

/// How often a thread left its core.
#[derive(Clone, Copy, Default)]
pub(crate) struct Switches {
    /// Of its own accord, to wait for something.
    pub(crate) waited: u64,
    /// Because another thread's turn came.
    pub(crate) taken_off: u64,
}

impl Switches {
    pub(crate) fn of_this_thread() -> Self {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        let count = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|count| count.trim().parse().ok())
                .unwrap_or_default()
        };
        Self {
            waited: count("voluntary_ctxt_switches:"),
            taken_off: count("nonvoluntary_ctxt_switches:"),
        }
    }
}

impl Sub for Switches {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            waited: self.waited - before.waited,
            taken_off: self.taken_off - before.taken_off,
        }
    }
}

/// Keeps this thread to one core, where there is `taskset` to do it and a core of that number.
pub(crate) fn pin(core: usize) {
    let thread = fs::read_link("/proc/thread-self").unwrap_or_default();
    let Some(thread) = thread.file_name() else {
        return;
    };
    let mut taskset = Command::new("taskset");
    let taskset = taskset.arg("-pc").arg(core.to_string()).arg(thread);
    let _ = taskset.stdout(Stdio::null()).stderr(Stdio::null()).status();
}
