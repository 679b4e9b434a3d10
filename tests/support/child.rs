//! The examples of this crate as running processes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use super::process::Process;

/// A debug build on a busy machine may take this long to say where it listens.
const START: Duration = Duration::from_secs(60);

/// An example that has printed `listening on http://ADDR`.
pub(crate) struct Example {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The process; it ends when the example is dropped.
    pub(crate) process: Process,
}

impl Example {
    /// Starts `examples/NAME.rs`, built if need be, and waits until it listens.
    ///
    /// See [`command`] for its environment.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        Self::listening(&mut command(name, arguments))
    }

    /// Starts any command that prints `listening on http://ADDR`.
    pub(crate) fn listening(command: &mut Command) -> Self {
        let process = Process::spawn(command);
        let address = process.wait_for_line(START, "the line `listening on http://ADDR`", |line| {
            let (_, rest) = line.split_once("listening on http://")?;
            rest.split(['/', ' ']).next()?.parse().ok()
        });
        Self { address, process }
    }

    /// The URL of `path` (with its leading slash) on this example.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// The command that runs `examples/NAME.rs`, built if need be.
///
/// `SELFHEAL_…` variables of this process are not handed down: they configure the crate.
pub(crate) fn command(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(built(name));
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("SELFHEAL_") {
            command.env_remove(variable);
        }
    }
    command.args(arguments);
    command
}

/// The binary of the example NAME, of the profile that this test was built with.
///
/// A whole `cargo test` has just built it. `cargo test --test NAME` has not: then it is built
/// here, with all features, as some examples need more than the default ones.
fn built(name: &str) -> PathBuf {
    let profile = profile_folder();
    let binary = profile.join("examples").join(name);
    if !is_fresh(&binary) {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let folder = profile
            .file_name()
            .expect("the folder of a profile")
            .to_string_lossy();
        let output = Command::new(cargo)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--locked", "--all-features", "--example", name])
            // The profile of `cargo test` is kept in the folder `debug` and is called `dev`.
            .args(["--profile", if folder == "debug" { "dev" } else { &folder }])
            .arg("--target-dir")
            .arg(profile.parent().expect("a target folder"))
            .output()
            .unwrap_or_else(|error| panic!("cannot start cargo: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "cannot build the example {name}:\n{said}"
        );
    }
    binary
}

/// `target/debug`, or what stands for it: the test runs from its folder `deps`.
fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the running test");
    let folder = test.parent().and_then(Path::parent);
    folder
        .expect("a test runs from target/PROFILE/deps")
        .to_path_buf()
}

/// Whether `binary` exists and is not older than any source that cargo's dep-info names for it.
pub(crate) fn is_fresh(binary: &Path) -> bool {
    let Some(built_at) = modified(binary) else {
        return false;
    };
    let Ok(dep_info) = std::fs::read_to_string(binary.with_extension("d")) else {
        return false;
    };
    let Some((_, sources)) = dep_info.split_once(": ") else {
        return false;
    };
    sources_of(sources).all(|source| modified(&source).is_some_and(|at| at <= built_at))
}

/// The paths of a dep-info line: separated by spaces; a space in a path follows a backslash.
fn sources_of(line: &str) -> impl Iterator<Item = PathBuf> {
    const SPACE_IN_PATH: &str = "\u{0}";
    let line = line.replace("\\ ", SPACE_IN_PATH);
    let paths: Vec<PathBuf> = line
        .split_whitespace()
        .map(|path| PathBuf::from(path.replace(SPACE_IN_PATH, " ")))
        .collect();
    paths.into_iter()
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|data| data.modified()).ok()
}
