use parking_lot::Mutex;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

use super::ProcessFigures;

/// Queries `sysinfo` for this process only, which takes a few system calls.
#[derive(Default)]
pub(super) struct Portable {
    /// Created at the first scrape; only code of this crate runs under the lock.
    system: Mutex<Option<System>>,
}

impl Portable {
    pub(super) fn read(&self) -> ProcessFigures {
        self.try_read().unwrap_or_default()
    }

    fn try_read(&self) -> Option<ProcessFigures> {
        let pid = sysinfo::get_current_pid().ok()?;
        let mut system = self.system.lock();
        if system.is_none() {
            *system = System::new().ok();
        }
        let system = system.as_mut()?;
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[pid]),
            false,
            ProcessRefreshKind::nothing()
                .with_cpu()
                .with_memory()
                .without_tasks(),
        );
        let process = system.process(pid)?;
        let count = |n: Option<usize>| n.and_then(|n| u64::try_from(n).ok());
        Some(ProcessFigures {
            cpu_seconds: Some(process.accumulated_cpu_time() as f64 / 1000.0),
            resident_bytes: Some(process.memory()),
            virtual_bytes: Some(process.virtual_memory()),
            open_fds: count(process.open_files()),
            max_fds: count(process.open_files_limit()),
            start_time_seconds: Some(process.start_time() as f64),
            ..ProcessFigures::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_the_main_figures() {
        let source = Portable::default();
        let first = source.read();
        assert!(first.resident_bytes > Some(1 << 16), "{first:?}");
        assert!(first.virtual_bytes >= first.resident_bytes, "{first:?}");
        assert!(first.start_time_seconds > Some(1.6e9), "{first:?}");
        assert!(source.read().cpu_seconds >= first.cpu_seconds);
    }
}
