use std::fs;
use std::path::{Path, PathBuf};

use super::Usage;

/// In cgroup v1, limits of at least this size mean none.
const UNLIMITED: u64 = 1 << 62;

/// The maximum nesting of groups; ends the walk through unexpected paths.
const DEEPEST: usize = 64;

/// The kernel's files about the control groups of this process.
pub(super) struct Cgroup {
    /// The file that lists the groups of the process.
    list: PathBuf,
    root: PathBuf,
}

impl Default for Cgroup {
    fn default() -> Self {
        Self {
            list: "/proc/self/cgroup".into(),
            root: "/sys/fs/cgroup".into(),
        }
    }
}

impl Cgroup {
    pub(super) fn read(&self) -> Usage {
        let list = fs::read_to_string(&self.list).unwrap_or_default();
        let version_2 = self.version_2(&list);
        if version_2 == Usage::default() {
            self.version_1(&list)
        } else {
            version_2
        }
    }

    fn version_2(&self, list: &str) -> Usage {
        let group = list.lines().find_map(|line| line.strip_prefix("0::"));
        let Some(folder) = group.and_then(|group| folder(&self.root, group)) else {
            return Usage::default();
        };
        let stat = text(&folder.join("cpu.stat"));
        let micros = |key: &str| number_of(&stat, key).map(|micros| micros as f64 / 1e6);
        Usage {
            memory_bytes: number(&folder.join("memory.current")),
            memory_limit_bytes: self.lowest(&folder, |folder| number(&folder.join("memory.max"))),
            cpu_limit_cores: self.lowest(&folder, |folder| {
                let text = text(&folder.join("cpu.max"));
                let (quota, period) = text.trim().split_once(' ')?;
                cores(quota.parse().ok()?, period.parse().ok()?)
            }),
            cpu_seconds: micros("usage_usec"),
            throttled_seconds: micros("throttled_usec"),
        }
    }

    fn version_1(&self, list: &str) -> Usage {
        let of = |controller: &str| {
            let group = list.lines().find_map(|line| {
                let (controllers, group) = line.split_once(':')?.1.split_once(':')?;
                let mut controllers = controllers.split(',');
                controllers
                    .any(|known| known == controller)
                    .then_some(group)
            });
            let root = self.root.join(controller);
            folder(&root, group.unwrap_or("/")).unwrap_or(root)
        };
        let (memory, cpu) = (of("memory"), of("cpu"));
        let nanos = |nanos: u64| nanos as f64 / 1e9;
        Usage {
            memory_bytes: number(&memory.join("memory.usage_in_bytes")),
            memory_limit_bytes: self.lowest(&memory, |folder| {
                let limit = number(&folder.join("memory.limit_in_bytes"));
                limit.filter(|limit| *limit < UNLIMITED)
            }),
            cpu_limit_cores: self.lowest(&cpu, |folder| {
                let quota = number(&folder.join("cpu.cfs_quota_us"))?;
                cores(quota, number(&folder.join("cpu.cfs_period_us"))?)
            }),
            cpu_seconds: number(&of("cpuacct").join("cpuacct.usage")).map(nanos),
            throttled_seconds: number_of(&text(&cpu.join("cpu.stat")), "throttled_time").map(nanos),
        }
    }

    /// The lowest limit of a group and its ancestors.
    fn lowest<T: PartialOrd>(&self, group: &Path, limit: impl Fn(&Path) -> Option<T>) -> Option<T> {
        let around = group.ancestors().take(DEEPEST);
        let limits = around
            .take_while(|folder| folder.starts_with(&self.root))
            .filter_map(limit);
        limits.reduce(|a, b| if b < a { b } else { a })
    }
}

/// The folder of a group. Inside a container its path may be that of the host, of which only the
/// group itself is visible, as the root.
fn folder(root: &Path, group: &str) -> Option<PathBuf> {
    let whole = root.join(group.trim().trim_start_matches('/'));
    // A path with `..` is of a process outside of the namespace.
    let climbs = group.split('/').any(|part| part == "..");
    [whole, root.to_path_buf()]
        .into_iter()
        .skip(usize::from(climbs))
        .find(|folder| folder.is_dir())
}

fn cores(quota: u64, period: u64) -> Option<f64> {
    (period > 0).then(|| quota as f64 / period as f64)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The number in a file, if it has one: `max` and `-1` are none.
fn number(path: &Path) -> Option<u64> {
    text(path).trim().parse().ok()
}

/// The number after a key at the start of a line.
fn number_of(text: &str, key: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(name, _)| *name == key)?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(list: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, Usage) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("cgroup");
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let list_at = folder.path().join("list");
        fs::write(&list_at, list).unwrap();
        let usage = Cgroup {
            list: list_at,
            root,
        }
        .read();
        (folder, usage)
    }

    #[test]
    fn version_2_with_the_lowest_limit_of_all_around() {
        let (_folder, usage) = tree(
            "0::/pod/app\n",
            &[
                ("memory.max", "max\n"),
                ("pod/memory.max", "1000\n"),
                ("pod/cpu.max", "max 100000\n"),
                ("pod/app/memory.max", "max\n"),
                ("pod/app/memory.current", "600\n"),
                ("pod/app/cpu.max", "150000 100000\n"),
                (
                    "pod/app/cpu.stat",
                    "usage_usec 2500000\nthrottled_usec 500000\n",
                ),
            ],
        );
        let want = Usage {
            memory_bytes: Some(600),
            memory_limit_bytes: Some(1_000),
            cpu_limit_cores: Some(1.5),
            cpu_seconds: Some(2.5),
            throttled_seconds: Some(0.5),
        };
        assert_eq!(usage, want);
    }

    #[test]
    fn version_1_inside_of_a_container_that_sees_its_group_as_the_root() {
        let (_folder, usage) = tree(
            "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n",
            &[
                ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
                ("memory/memory.usage_in_bytes", "600\n"),
                ("cpu/cpu.cfs_quota_us", "50000\n"),
                ("cpu/cpu.cfs_period_us", "100000\n"),
                ("cpu/cpu.stat", "nr_periods 3\nthrottled_time 250000000\n"),
                ("cpuacct/cpuacct.usage", "1500000000\n"),
            ],
        );
        let want = Usage {
            memory_bytes: Some(600),
            memory_limit_bytes: None,
            cpu_limit_cores: Some(0.5),
            cpu_seconds: Some(1.5),
            throttled_seconds: Some(0.25),
        };
        assert_eq!(usage, want);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for list in ["", "garbage", "0::/../../x", "4:memory:\n::::\n", "0::"] {
            assert_eq!(
                tree(list, &[("memory/x", "")]).1,
                Usage::default(),
                "{list}"
            );
        }
        let (_folder, usage) = tree(
            "0::/\n",
            &[
                ("memory.current", "many\n"),
                ("cpu.max", "1 0\n"),
                ("cpu.stat", "usage_usec 1\nusage_usec\n"),
            ],
        );
        assert_eq!(usage.cpu_seconds, Some(1e-6));
        assert_eq!((usage.memory_bytes, usage.cpu_limit_cores), (None, None));
    }
}
