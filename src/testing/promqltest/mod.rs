//! Runs files in the format of Prometheus's own tests of PromQL: `load` series, `eval` an
//! expression, and compare.
//!
//! ```
//! use selfheal::testing::promqltest::{Outcome, run};
//!
//! let cases = run("load 1m\n  jobs_total 0+60x5\n\neval instant at 5m rate(jobs_total[5m])\n  {} 1\n");
//! assert_eq!(cases[0].outcome, Outcome::Passed);
//! ```

mod check;
mod histogram;
pub(crate) mod notation;
mod script;
mod store;

use std::panic::{AssertUnwindSafe, catch_unwind};

use self::script::{Command, Evaluation};
use crate::promql::{Query, QueryError, QueryOptions, QueryRange, Series};

/// The outcome of a [`Case`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As expected.
    Passed,
    /// Not as expected, with the actual result.
    Failed(String),
    /// The expression uses unsupported syntax.
    Unsupported(String),
}

/// One `eval` of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The line where it begins, counted from 1.
    pub line: usize,
    /// The expression, or the whole line if it is no command.
    pub expression: String,
    /// The outcome.
    pub outcome: Outcome,
}

/// Runs a file and returns its cases in order.
#[must_use]
pub fn run(text: &str) -> Vec<Case> {
    let mut store: Vec<Series> = Vec::new();
    let mut cases = Vec::new();
    for command in script::commands(text) {
        let (line, wrong) = match command {
            Command::Clear => {
                store.clear();
                continue;
            }
            Command::Load {
                line,
                step,
                with_custom_bounds,
                series,
            } => match store::load(&mut store, &series, step, with_custom_bounds) {
                Ok(()) => continue,
                Err(wrong) => (line, wrong),
            },
            Command::Evaluate(evaluation) => {
                cases.push(case(&evaluation, &store));
                continue;
            }
            Command::Unknown(line, wrong) => (line, wrong),
        };
        cases.push(Case {
            line,
            expression: String::new(),
            outcome: Outcome::Failed(wrong),
        });
    }
    cases
}

fn case(evaluation: &Evaluation, store: &[Series]) -> Case {
    // A panic fails this case only.
    let outcome = catch_unwind(AssertUnwindSafe(|| evaluate(evaluation, store)));
    Case {
        line: evaluation.line,
        expression: evaluation.expression.clone(),
        outcome: outcome.unwrap_or_else(|_| Outcome::Failed("it panicked".to_owned())),
    }
}

fn evaluate(evaluation: &Evaluation, store: &[Series]) -> Outcome {
    let query = match Query::parse(&evaluation.expression) {
        Ok(query) => query,
        Err(error) => {
            return match check::error(evaluation, &error) {
                Ok(()) => Outcome::Passed,
                Err(_) => Outcome::Unsupported(error.to_string()),
            };
        }
    };
    let options = QueryOptions::default();
    let answer = match evaluation.step {
        None => query.instant(store, evaluation.start, &options),
        Some(step) => {
            let (start, end) = (evaluation.start, evaluation.end);
            query.range(store, QueryRange { start, end, step }, &options)
        }
    };
    let verdict = match &answer {
        Ok(answer) => check::answer(evaluation, answer),
        Err(error @ QueryError::Source(_)) => Err(error.to_string()),
        Err(error) => check::error(evaluation, error),
    };
    verdict.map_or_else(Outcome::Failed, |()| Outcome::Passed)
}
