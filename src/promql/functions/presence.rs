//! The functions `absent` and the like.

use crate::promql::error::QueryError;
use crate::promql::eval::{Eval, Value};
use crate::promql::labels::{LabelSet, METRIC_NAME};
use crate::promql::parse::{Call, Kind, Node};
use crate::promql::source::{MatchOp, Matcher};
use crate::promql::value::InstantSample;

pub(super) fn absent(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    let argument = call.argument(0, node);
    let is_absent = eval.vector(argument, time)?.is_empty();
    Ok(missing(eval, argument, is_absent))
}

pub(super) fn absent_over_time(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    let argument = call.argument(0, node);
    let is_absent = eval.windows(argument, time)?.iter().next().is_none();
    Ok(missing(eval, argument, is_absent))
}

fn missing(eval: &Eval<'_>, argument: &Node, is_absent: bool) -> Value {
    let sample = || InstantSample {
        labels: match argument.kind {
            Kind::Selector(place) | Kind::Range(place, _) => absent_labels(eval.matchers(place)),
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
