//! Every metric that the crate can declare, used or not.
//!
//! `cargo run --example catalogue` prints a line for each, `-- --markdown` the tables of the
//! documentation; `--all-features` has all of them.

use selfheal::catalog::markdown;
use selfheal::registry::DeclareError;

fn main() -> Result<(), DeclareError> {
    let defs = selfheal::catalogue()?;
    if std::env::args().any(|argument| argument == "--markdown") {
        print!("{}", markdown(&defs));
    } else {
        for def in &defs {
            println!("{def}  {}", def.help);
        }
    }
    Ok(())
}
