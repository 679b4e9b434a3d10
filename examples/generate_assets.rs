//! Writes the monitoring stack of a service from its configuration:
//! `cargo run --example generate_assets -- --config selfheal.toml --out DIR [--force]`
//!
//! An application that declares metrics of its own calls `heal.write_assets(dir)` instead, so that
//! they are in it too.

use std::path::PathBuf;
use std::process::ExitCode;

use selfheal::{Config, Selfheal};

const USAGE: &str = "usage: generate_assets --config FILE --out DIR [--force]";

struct Args {
    config: PathBuf,
    out: PathBuf,
    force: bool,
}

fn args(mut words: impl Iterator<Item = String>) -> Result<Args, String> {
    let (mut config, mut out, mut force) = (None, None, false);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--config" => config = Some(PathBuf::from(value()?)),
            "--out" => out = Some(PathBuf::from(value()?)),
            "--force" => force = true,
            _ => return Err(format!("{word}: there is no such flag")),
        }
    }
    Ok(Args {
        config: config.ok_or("--config is missing")?,
        out: out.ok_or("--out is missing")?,
        force,
    })
}

fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let heal = Selfheal::new(Config::from_file(&args.config)?)?;
    let assets = heal.assets()?;
    for what in assets.left_out() {
        eprintln!("left out: {what}");
    }
    let written = if args.force {
        assets.overwrite(&args.out)?
    } else {
        assets.write(&args.out)?
    };
    println!(
        "{}: {} files written, {} unchanged, {} removed",
        args.out.display(),
        written.written.len(),
        written.unchanged.len(),
        written.removed.len()
    );
    Ok(())
}

fn main() -> ExitCode {
    let args = match args(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = run(&args) {
        eprintln!("nothing was written: {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            eprintln!("  {cause}");
            source = cause.source();
        }
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
