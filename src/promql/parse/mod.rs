//! Parses the text of an expression into a form that can be evaluated.

mod convert;
mod node;
mod places;
mod syntax;
pub(super) mod tokens;

use std::panic::catch_unwind;

use super::error::{Place, QueryError};
pub use node::QueryType;
pub(crate) use node::{
    Aggregate, Aggregation, Binary, Call, Fixed, Kind, Many, Node, Op, Parsed, Selector, Shift,
    Subquery,
};

/// The length limit of an expression, in bytes. Those written by people are below 4 KiB.
const MAX_LENGTH: usize = 65_536;

/// The depth limit of an expression, since evaluation is recursive.
const MAX_DEPTH: usize = 200;

pub(crate) fn parse(text: &str) -> Result<Parsed, QueryError> {
    let fault = |at: usize, message: String| QueryError::Syntax {
        place: Place::of(text, at),
        message,
    };
    if text.len() > MAX_LENGTH {
        let message = format!("the expression is longer than {MAX_LENGTH} bytes");
        return Err(fault(MAX_LENGTH, message));
    }
    let words = tokens::tokens(text);
    let depth = tokens::depth(text, &words);
    if depth > MAX_DEPTH {
        let message = format!(
            "the expression is nested {depth} deep, more than {MAX_DEPTH}: split it by recording \
             rules"
        );
        return Err(fault(0, message));
    }
    syntax::check_durations(text, &words).map_err(|(at, message)| fault(at, message))?;
    // A panic of the external parser is reported as a syntax error.
    let known = syntax::without_trims(text, &words);
    let parsed = catch_unwind(|| promql_parser::parser::parse(&known));
    let parsed = parsed.unwrap_or_else(|_| Err("invalid promql query".to_owned()));
    let tree = parsed.map_err(|message| {
        let (at, unexpected) = syntax::fault(text, &words, &message);
        fault(at, unexpected.unwrap_or(message))
    })?;
    convert::convert(text, &words, tree)
}
