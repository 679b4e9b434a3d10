//! The functions `absent` and the like.

use crate::promql::error::QueryError;
use crate::promql::eval::{Args, Value};
use crate::promql::labels::{LabelSet, METRIC_NAME};
use crate::promql::parse::Kind;
use crate::promql::source::{MatchOp, Matcher};
use crate::promql::value::InstantSample;

pub(super) fn absent(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let is_absent = args.vector(0)?.is_empty();
    Ok(missing(args, is_absent))
}

pub(super) fn absent_over_time(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let windows = args.eval.windows(args.node(0), args.time)?;
    let is_absent = windows.iter().next().is_none();
    Ok(missing(args, is_absent))
}

fn missing(args: &Args<'_, '_>, is_absent: bool) -> Value {
    let sample = || InstantSample {
        labels: match args.node(0).kind {
            Kind::Selector(place) | Kind::Range(place, _) => {
                absent_labels(args.eval.matchers(place))
            }
            _ => LabelSet::empty(),
        },
        value: 1.0.into(),
    };
    Value::Vector(is_absent.then(sample).into_iter().collect())
}

/// The labels of an absent series: those set by a single `=` matcher.
pub(crate) fn absent_labels(matchers: &[Matcher]) -> LabelSet {
    let once = |name: &str| matchers.iter().filter(|other| other.name() == name).count() == 1;
    let said = matchers.iter().filter(|matcher| {
        matcher.op() == MatchOp::Equal && matcher.name() != METRIC_NAME && once(matcher.name())
    });
    LabelSet::new(said.map(|matcher| (matcher.name(), matcher.value())))
}
