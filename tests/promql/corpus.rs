//! The corpus that Prometheus tests its own evaluator with.

use std::path::Path;

use selfheal::testing::promqltest::{Outcome, run};

/// Where the corpus is: `*.test` in this folder.
const FOLDER: &str = "TEST_PROMQLTEST";

/// How many cases have to pass. More may, fewer may not.
const PASSED: usize = 1_652;

#[test]
fn the_corpus_of_prometheus_passes() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        println!("missing: set {FOLDER} to a folder with the files of Prometheus's promqltest");
        return;
    };
    let mut passed = 0;
    let mut failed = Vec::new();
    let mut unsupported = 0;
    for file in std::fs::read_dir(&folder).expect("the folder of the corpus") {
        let file = file.expect("a file").path();
        if file.extension().is_none_or(|extension| extension != "test") {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a text");
        for case in run(&text) {
            match case.outcome {
                Outcome::Passed => passed += 1,
                Outcome::Unsupported(_) => unsupported += 1,
                Outcome::Failed(reason) => {
                    let name = file.file_name().map(Path::new).expect("a name").display();
                    failed.push(format!(
                        "{name}:{}: {}: {reason}",
                        case.line, case.expression
                    ));
                }
            }
        }
    }
    println!(
        "{passed} passed, {} failed, {unsupported} unsupported",
        failed.len()
    );
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(passed >= PASSED, "only {passed} passed");
}
