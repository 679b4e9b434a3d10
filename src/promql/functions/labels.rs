//! Functions that change labels.

use std::sync::Arc;

use crate::promql::error::QueryError;
use crate::promql::eval::{Eval, Value};
use crate::promql::format::is_label_name;
use crate::promql::labels::LabelSet;
use crate::promql::parse::{Call, Node};
use crate::promql::source::anchored;
use crate::promql::value::InstantSample;

/// Replaces the labels of each sample with those that a function returns.
fn relabel(
    eval: &Eval<'_>,
    at: usize,
    mut vector: Vec<InstantSample>,
    labels: impl Fn(&LabelSet) -> Option<LabelSet>,
) -> Result<Value, QueryError> {
    for sample in &mut vector {
        if let Some(changed) = labels(&sample.labels) {
            sample.labels = changed;
        }
    }
    eval.check_unique(at, &vector)?;
    Ok(Value::Vector(vector))
}

/// `label_replace(vector, target, replacement, source, pattern)`
pub(super) fn label_replace(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    let target = eval.string(call.argument(1, node), time)?;
    let replacement = eval.string(call.argument(2, node), time)?;
    let source = eval.string(call.argument(3, node), time)?;
    let pattern_node = call.argument(4, node);
    let pattern = eval.string(pattern_node, time)?;
    let regex = anchored(&pattern).map_err(|error| {
        let message = format!("invalid regular expression in label_replace(): {error}");
        eval.error(pattern_node.at, message)
    })?;
    if !is_label_name(&target) {
        let message = format!("invalid destination label name in label_replace(): {target}");
        return Err(eval.error(call.argument(1, node).at, message));
    }
    let vector = eval.vector(call.argument(0, node), time)?;
    relabel(eval, node.at, vector, |labels| {
        let found = regex.captures(labels.get(&source).unwrap_or_default())?;
        let mut value = String::new();
        found.expand(&replacement, &mut value);
        Some(labels.with(&target, value))
    })
}

/// `label_join(vector, target, separator, source…)`
pub(super) fn label_join(
    eval: &mut Eval<'_>,
    node: &Node,
    call: &Call,
    time: i64,
) -> Result<Value, QueryError> {
    let target = eval.string(call.argument(1, node), time)?;
    let separator = eval.string(call.argument(2, node), time)?;
    let sources = call.arguments.iter().skip(3);
    let sources = sources.map(|source| eval.string(source, time));
    let sources: Vec<Arc<str>> = sources.collect::<Result<_, _>>()?;
    if !is_label_name(&target) {
        let message = format!("invalid destination label name in label_join(): {target}");
        return Err(eval.error(call.argument(1, node).at, message));
    }
    let vector = eval.vector(call.argument(0, node), time)?;
    relabel(eval, node.at, vector, |labels| {
        let values = sources
            .iter()
            .map(|name| labels.get(name).unwrap_or_default());
        let value = values.collect::<Vec<_>>().join(&separator);
        Some(labels.with(&target, value))
    })
}
