//! Runs corpus files of PromQL: `cargo run --release --example promqltest -- [--list] FILE…`
//!
//! Prints how many cases passed, failed and are unsupported; with `--list` each that did not
//! pass and why. The exit status is 1 if one failed or a file could not be read.

use std::process::ExitCode;

use selfheal::testing::promqltest::{Outcome, run};

fn main() -> ExitCode {
    let (options, files): (Vec<_>, Vec<_>) = std::env::args()
        .skip(1)
        .partition(|argument| argument.starts_with("--"));
    if files.is_empty() || options.iter().any(|option| option != "--list") {
        eprintln!("usage: promqltest [--list] FILE…");
        return ExitCode::FAILURE;
    }
    let (mut passed, mut failed, mut unsupported) = (0, 0, 0);
    let mut unread = false;
    for file in &files {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{file}: {error}");
                unread = true;
                continue;
            }
        };
        for case in run(&text) {
            let (word, reason) = match &case.outcome {
                Outcome::Passed => {
                    passed += 1;
                    continue;
                }
                Outcome::Failed(reason) => {
                    failed += 1;
                    ("failed", reason)
                }
                Outcome::Unsupported(reason) => {
                    unsupported += 1;
                    ("unsupported", reason)
                }
            };
            if !options.is_empty() {
                println!(
                    "{file}:{}: {word}: {}: {reason}",
                    case.line, case.expression
                );
            }
        }
    }
    println!("{passed} passed, {failed} failed, {unsupported} unsupported");
    ExitCode::from(u8::from(failed > 0 || unread))
}
