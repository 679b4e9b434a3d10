//! The table at the end.

use std::path::PathBuf;

/// A row of the table, with the library and its figure in each cell, ours first.
pub(crate) struct Line {
    head: String,
    cells: Vec<(&'static str, f64)>,
}

pub(crate) fn line(
    name: &str,
    unit: &str,
    target: &str,
    limit: &str,
    cells: Vec<(&'static str, f64)>,
) -> Line {
    let limit = if limit.is_empty() {
        ""
    } else {
        &format!("; limit {limit}")
    };
    Line {
        head: format!("{name} [{unit}; target {target}{limit}]"),
        cells,
    }
}

/// What criterion has just written down: the fastest of its samples. On a machine that has
/// other work to do as well, the median says more about that work.
pub(crate) fn nanoseconds(group: &str, library: &str) -> Option<f64> {
    // criterion puts its files into `target/criterion`; cargo says where `target/tmp` is.
    let mut path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    path.pop();
    path.extend([
        "criterion",
        &folder(group),
        &folder(library),
        "new",
        "sample.json",
    ]);
    let text = std::fs::read_to_string(path).ok()?;
    let sample: serde_json::Value = serde_json::from_str(&text).ok()?;
    let numbers = |key: &str| {
        let list = sample[key].as_array().cloned().unwrap_or_default();
        list.into_iter().filter_map(|number| number.as_f64())
    };
    let each = numbers("times")
        .zip(numbers("iters"))
        .map(|(time, times)| time / times);
    each.min_by(f64::total_cmp)
}

/// The folder that criterion makes of a name.
fn folder(name: &str) -> String {
    let name = name.replace(['?', '"', '/', '\\', '*', '<', '>', ':', '|', '^'], "_");
    name.chars()
        .take(64)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

pub(crate) fn print(lines: &[Line]) {
    println!("\nThe factor is to the first of the row.\n");
    for line in lines {
        println!("{}", line.head);
        let first = line.cells.first().map_or(f64::NAN, |cell| cell.1);
        for (library, value) in &line.cells {
            println!("  {library:<32} {value:>9.2}  ×{:.2}", value / first);
        }
    }
}
