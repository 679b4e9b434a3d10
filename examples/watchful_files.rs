//! A guarded file: bad content is set aside, and the last good content restored, by
//! the names of the profile `luminous_nix`.
//!
//! `cargo run --example watchful_files` plays it with a file of its own and prints the metrics;
//! `-- FILE 127.0.0.1:9898` guards FILE, whose lines are `key = value`, and serves them there.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use selfheal::config::{Config, Server};
use selfheal::testing::Reading;

/// Valid content has only comments, empty lines and `key = value`.
fn check(bytes: &[u8]) -> Result<usize, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut keys = 0;
    for line in lines {
        if !line.contains(" = ") {
            return Err("a line without ` = `".to_owned());
        }
        keys += 1;
    }
    Ok(keys)
}

fn print(heal: &selfheal::Selfheal) {
    let reading = Reading::of(heal).to_string();
    let ours = [
        "file_events",
        "monitored_paths",
        "healing_success",
        "healing_issues_detected",
        "system_uptime",
    ];
    let lines = reading
        .lines()
        .filter(|line| ours.iter().any(|part| line.contains(part)));
    lines.for_each(|line| println!("{line}"));
}

/// Corrupts the file and waits until it is as it was.
async fn play(path: &Path) -> Result<(), Box<dyn Error>> {
    println!("junk is written to {}", path.display());
    std::fs::write(path, "junk\n")?;
    for tenths in 1..300 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if std::fs::read_to_string(path)? == GOOD {
            println!("it is as it was after {tenths} tenths of a second");
            return Ok(());
        }
    }
    Err("it was not restored within 30 s".into())
}

const GOOD: &str = "# the port that is listened on\nport = 8080\n";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().map(PathBuf::from);
    let mut config = Config::new().profile("luminous_nix");
    if let Some(address) = arguments.next() {
        config = config.server(Server::new().listen(address.parse()?));
    }
    let heal = selfheal::install(config)?;
    let folder = std::env::temp_dir().join(format!("selfheal-{}", std::process::id()));
    let path = if let Some(file) = &file {
        file.clone()
    } else {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("service.conf"), GOOD)?;
        folder.join("service.conf")
    };
    heal.guard_file("config", &path)
        .validate(check)
        .on_restored(|keys| println!("restored, with {keys} key(s)"))
        .install()?;
    if file.is_some() {
        let listener = heal.listen()?;
        println!("look at http://{}/metrics", listener.address());
        tokio::signal::ctrl_c().await?;
    } else {
        play(&path).await?;
        print(&heal);
        std::fs::remove_dir_all(&folder)?;
    }
    heal.shutdown().await;
    Ok(())
}
