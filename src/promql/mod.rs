//! PromQL: expressions over series, evaluated at one time or over a range.
//!
//! - [`Query::parse`] validates an expression once; [`Query::instant`] and [`Query::range`]
//!   evaluate it over any [`Queryable`], with the semantics of Prometheus 3.
//! - [`Recorded`] is the history of a registry under the names that a scrape has.
//! - [`QueryOptions`] limits the series, samples, steps and time of a query; the length and depth
//!   of expressions are limited too. Faults and annotations have a position.
//! - A clock is only read to enforce the time limit of a query.
//!
//! ```
//! use selfheal::promql::{Query, QueryOptions, QueryResult, Series};
//!
//! # fn main() -> Result<(), selfheal::promql::QueryError> {
//! let none: [Series; 0] = [];
//! let answer = Query::parse("1 + 1")?.instant(&none[..], 0, &QueryOptions::default())?;
//! assert_eq!(answer.result, QueryResult::Scalar(2.0));
//! let error = Query::parse("sum(up").unwrap_err();
//! assert_eq!(error.to_string(), "1:7: parse error: unclosed left parenthesis");
//! # Ok(())
//! # }
//! ```

mod annotation;
mod error;
mod eval;
mod format;
mod functions;
mod grouping;
mod histogram;
mod kahan;
mod labels;
mod options;
mod parse;
mod quantile;
mod query;
mod recorded;
mod source;
mod standing;
mod value;

pub use annotation::{Annotation, Severity};
pub use error::{Limit, Place, QueryError};
pub use histogram::{Bucket, CUSTOM_BOUNDS, FloatHistogram, ResetHint};
pub use labels::{Label, LabelSet, METRIC_NAME};
pub use options::QueryOptions;
pub use parse::QueryType;
#[cfg(feature = "assets")]
pub(crate) use parse::tokens::{Kind as TokenKind, Token, tokens};
pub use query::{Answer, Query, QueryRange};
pub use recorded::Recorded;
pub use source::{MatchOp, Matcher, Queryable, Selection, Sink};
pub(crate) use standing::{Beside, Standing};
pub use value::{InstantSample, PointValue, QueryResult, Sample, Series};
