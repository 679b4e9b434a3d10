//! Functions that change labels.

use crate::promql::error::QueryError;
use crate::promql::eval::{Args, Value};
use crate::promql::format::is_label_name;
use crate::promql::labels::LabelSet;
use crate::promql::source::anchored;

/// Replaces the labels of each sample with those that a function returns.
fn relabel(
    args: &mut Args<'_, '_>,
    labels: impl Fn(&LabelSet) -> Option<LabelSet>,
) -> Result<Value, QueryError> {
    let mut vector = args.vector(0)?;
    for sample in &mut vector {
        if let Some(changed) = labels(&sample.labels) {
            sample.labels = changed;
        }
    }
    args.eval.check_unique(args.node.at, &vector)?;
    Ok(Value::Vector(vector))
}

/// Checks the name of the label to set, the second argument.
fn check_target(args: &Args<'_, '_>, function: &str, target: &str) -> Result<(), QueryError> {
    if is_label_name(target) {
        return Ok(());
    }
    let message = format!("invalid destination label name in {function}(): {target}");
    Err(args.eval.error(args.node(1).at, message))
}

/// `label_replace(vector, target, replacement, source, pattern)`
pub(super) fn label_replace(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let target = args.string(1)?;
    let replacement = args.string(2)?;
    let source = args.string(3)?;
    let pattern = args.string(4)?;
    let regex = anchored(&pattern).map_err(|error| {
        let message = format!("invalid regular expression in label_replace(): {error}");
        args.eval.error(args.node(4).at, message)
    })?;
    check_target(args, "label_replace", &target)?;
    relabel(args, |labels| {
        let found = regex.captures(labels.get(&source).unwrap_or_default())?;
        let mut value = String::new();
        found.expand(&replacement, &mut value);
        Some(labels.with(&target, value))
    })
}

/// `label_join(vector, target, separator, source…)`
pub(super) fn label_join(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
    let target = args.string(1)?;
    let separator = args.string(2)?;
    let sources = args.strings(3)?;
    check_target(args, "label_join", &target)?;
    relabel(args, |labels| {
        let values = sources
            .iter()
            .map(|name| labels.get(name).unwrap_or_default());
        let value = values.collect::<Vec<_>>().join(&separator);
        Some(labels.with(&target, value))
    })
}
