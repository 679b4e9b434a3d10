use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use super::{ProcessFigures, parse};

/// Clock ticks a second in `/proc/self/stat`. The kernel counts in its own rate and converts
/// to `USER_HZ` for user space, which is 100 on every architecture that Rust's Linux targets
/// have (`include/asm-generic/param.h`; Alpha alone has 1024).
const USER_HZ: f64 = 100.0;

/// Reads `/proc/self`.
#[derive(Default)]
pub(super) struct Linux {
    /// When the machine was started, in seconds since 1970. Read once: the start of a process
    /// does not move, while this figure follows every change of the wall clock. (And
    /// `/proc/stat` is long on a machine with many CPUs.)
    boot: OnceLock<Option<f64>>,
}

impl Linux {
    pub(super) fn read(&self) -> ProcessFigures {
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        let stat = parse::stat(&text("/proc/self/stat"));
        let limits = text("/proc/self/limits");
        let (received_bytes, transmitted_bytes) = parse::octets(
            &text("/proc/self/net/netstat"),
            &text("/proc/self/net/snmp6"),
        );
        let boot = *self
            .boot
            .get_or_init(|| parse::boot_time(&text("/proc/stat")));
        ProcessFigures {
            cpu_seconds: stat.as_ref().map(|stat| stat.cpu_ticks as f64 / USER_HZ),
            resident_bytes: parse::resident(&text("/proc/self/status")),
            virtual_bytes: stat.as_ref().map(|stat| stat.virtual_bytes),
            virtual_max_bytes: parse::soft_limit(&limits, "Max address space"),
            open_fds: open_fds(Path::new("/proc/self/fd")),
            max_fds: parse::soft_limit(&limits, "Max open files"),
            threads: stat.as_ref().map(|stat| stat.threads),
            start_time_seconds: stat
                .and_then(|stat| Some(boot? + stat.start_ticks as f64 / USER_HZ)),
            received_bytes,
            transmitted_bytes,
        }
    }
}

/// Since Linux 6.2 the size of the directory is the number of descriptors (kernel commit
/// f1f1f2569901); before, it is 0 and they have to be listed.
fn open_fds(directory: &Path) -> Option<u64> {
    match fs::metadata(directory).ok()?.len() {
        0 => listed(directory),
        open => Some(open),
    }
}

/// How many there are, the one that lists them aside.
fn listed(directory: &Path) -> Option<u64> {
    let entries = fs::read_dir(directory).ok()?.count() as u64;
    Some(entries.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_that_lists_is_not_counted() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["0", "1", "2"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        assert_eq!(listed(directory.path()), Some(2));
        assert_eq!(listed(&directory.path().join("missing")), None);
        assert_eq!(open_fds(&directory.path().join("missing")), None);
    }

    #[test]
    fn this_process_has_every_figure() {
        let figures = Linux::default().read();
        assert!(figures.cpu_seconds >= Some(0.0), "{figures:?}");
        assert!(figures.resident_bytes > Some(1 << 16), "{figures:?}");
        assert!(
            figures.virtual_bytes >= figures.resident_bytes,
            "{figures:?}"
        );
        assert!(figures.virtual_max_bytes.is_some(), "{figures:?}");
        assert!(figures.open_fds > Some(2), "{figures:?}");
        assert!(figures.max_fds >= figures.open_fds, "{figures:?}");
        assert!(
            figures.threads >= Some(2),
            "the harness and this test: {figures:?}"
        );
        assert!(figures.received_bytes.is_some(), "{figures:?}");
        assert!(figures.transmitted_bytes.is_some(), "{figures:?}");
    }
}
