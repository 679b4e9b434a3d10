use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;

use super::{ProcessFigures, parse};

/// Clock ticks per second in `/proc/self/stat`. The kernel counts at its own rate and converts to
/// `USER_HZ` for user space, which is 100 on every Linux architecture that Rust targets
/// (`include/asm-generic/param.h`; only Alpha has 1024).
const USER_HZ: f64 = 100.0;

/// Reads `/proc/self`.
#[derive(Default)]
pub(super) struct Linux {
    boot: Mutex<Boot>,
}

/// The boot time of the machine. The kernel's value follows every change of the wall clock, while
/// the start of a process is fixed, and `/proc/stat` is long on a machine with many CPUs: it is
/// read once, and again only after the wall clock was set by more than [`STEP`].
#[derive(Default)]
struct Boot(Option<Known>);

#[derive(Clone, Copy)]
struct Known {
    /// Seconds since 1970.
    boot: f64,
    /// Both clocks at that reading, to detect changes of the wall clock.
    wall: SystemTime,
    at: Instant,
}

/// A wall clock that is set by more than this was wrong before: a machine without a hardware clock
/// starts in 1970, or one that keeps local time is hours off. Smaller steps are corrections by time
/// servers while a machine runs.
const STEP: Duration = Duration::from_secs(3600);

impl Boot {
    /// The boot time in seconds since 1970; `read` asks the kernel.
    fn at(
        &mut self,
        wall: SystemTime,
        at: Instant,
        read: impl FnOnce() -> Option<f64>,
    ) -> Option<f64> {
        if let Some(known) = &self.0 {
            let expected = known.wall + at.saturating_duration_since(known.at);
            let off = match wall.duration_since(expected) {
                Ok(ahead) => ahead,
                Err(behind) => behind.duration(),
            };
            if off <= STEP {
                return Some(known.boot);
            }
        }
        let Some(boot) = read() else {
            return self.0.map(|known| known.boot);
        };
        // Also taken after a suspend, where both times agree to a second.
        let boot = match self.0 {
            Some(known) if (known.boot - boot).abs() <= STEP.as_secs_f64() => known.boot,
            _ => boot,
        };
        self.0 = Some(Known { boot, wall, at });
        Some(boot)
    }
}

impl Linux {
    pub(super) fn read(&self) -> ProcessFigures {
        self.read_from(Path::new("/proc"))
    }

    /// Reads the values of the process; unreadable ones are `None`.
    fn read_from(&self, proc: &Path) -> ProcessFigures {
        let text = |path| fs::read_to_string(proc.join(path)).unwrap_or_default();
        let stat = parse::stat(&text("self/stat"));
        let limits = text("self/limits");
        let (received_bytes, transmitted_bytes) =
            parse::octets(&text("self/net/netstat"), &text("self/net/snmp6"));
        let boot = self.boot.lock().at(SystemTime::now(), Instant::now(), || {
            parse::boot_time(&text("stat"))
        });
        ProcessFigures {
            cpu_seconds: stat.as_ref().map(|stat| stat.cpu_ticks as f64 / USER_HZ),
            resident_bytes: parse::resident(&text("self/status")),
            virtual_bytes: stat.as_ref().map(|stat| stat.virtual_bytes),
            virtual_max_bytes: parse::soft_limit(&limits, "Max address space"),
            open_fds: open_fds(&proc.join("self/fd")),
            max_fds: parse::soft_limit(&limits, "Max open files"),
            threads: stat.as_ref().map(|stat| stat.threads),
            start_time_seconds: stat
                .and_then(|stat| Some(boot? + stat.start_ticks as f64 / USER_HZ)),
            received_bytes,
            transmitted_bytes,
        }
    }
}

/// The number of open descriptors. Since Linux 6.2 it is the size of the directory (kernel commit
/// f1f1f2569901); before, that is 0 and they have to be listed.
fn open_fds(directory: &Path) -> Option<u64> {
    match fs::metadata(directory).ok()?.len() {
        0 => listed(directory),
        open => Some(open),
    }
}

/// Counts the listed descriptors, except that of the listing.
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
    fn a_step_of_years_is_followed_and_one_of_seconds_is_not() {
        let seconds = Duration::from_secs;
        let (epoch, start) = (SystemTime::UNIX_EPOCH, Instant::now());
        let mut boot = Boot::default();
        let mut at = |wall: u64, up: u64, kernel: f64| {
            boot.at(epoch + seconds(wall), start + seconds(up), || Some(kernel))
        };
        assert_eq!(at(100, 0, 40.0), Some(40.0), "no hardware clock: 1970");
        assert_eq!(at(110, 10, 0.0), Some(40.0), "not asked again");
        let year_2026 = 1_790_000_000;
        assert_eq!(at(year_2026, 20, 1_789_999_920.0), Some(1_789_999_920.0));
        assert_eq!(
            at(year_2026 + 40, 30, 1_789_999_950.0),
            Some(1_789_999_920.0)
        );
        // A clock set back by years; and a suspend of a day does not change the start.
        assert_eq!(
            at(1_000_000_060, 40, 1_000_000_000.0),
            Some(1_000_000_000.0)
        );
        assert_eq!(
            at(1_000_086_500, 50, 1_000_000_001.0),
            Some(1_000_000_000.0)
        );
        let mut unknown = Boot::default();
        assert_eq!(unknown.at(epoch, start, || None), None);
        assert_eq!(unknown.at(epoch, start, || Some(1.0)), Some(1.0));
    }

    /// `/proc` may be hidden, mounted with other files, or truncated.
    #[test]
    fn what_cannot_be_read_is_left_out() {
        let nothing = format!("{:?}", ProcessFigures::default());
        let proc = tempfile::tempdir().unwrap();
        let read = || format!("{:?}", Linux::default().read_from(proc.path()));
        assert_eq!(read(), nothing, "there is none");
        let own = proc.path().join("self");
        fs::create_dir_all(own.join("net")).unwrap();
        let names = [
            "stat",
            "self/stat",
            "self/status",
            "self/limits",
            "self/net/netstat",
            "self/net/snmp6",
        ];
        for junk in [
            &b""[..],
            b"\xff\xfe",
            b"1 (a",
            b"btime \nMax open files",
            b"-1 -1 -1",
        ] {
            for name in names {
                fs::write(proc.path().join(name), junk).unwrap();
            }
            assert_eq!(read(), nothing, "{junk:?}");
        }
        for name in names {
            fs::remove_file(proc.path().join(name)).unwrap();
            fs::create_dir(proc.path().join(name)).unwrap();
        }
        assert_eq!(read(), nothing, "not files");
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
