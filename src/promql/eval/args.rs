//! The arguments of a function.

use std::sync::Arc;

use super::{Eval, Value};
use crate::promql::error::QueryError;
use crate::promql::parse::{Call, Node};
use crate::promql::value::InstantSample;

/// A call of a function at a time, whose arguments are evaluated on demand, by place.
pub(crate) struct Args<'c, 'a> {
    pub(crate) eval: &'c mut Eval<'a>,
    /// The call.
    pub(crate) node: &'c Node,
    pub(crate) call: &'c Call,
    /// In milliseconds.
    pub(crate) time: i64,
}

impl<'c> Args<'c, '_> {
    pub(crate) fn node(&self, place: usize) -> &'c Node {
        self.call.argument(place, self.node)
    }

    pub(crate) fn scalar(&mut self, place: usize) -> Result<f64, QueryError> {
        self.eval.scalar(self.node(place), self.time)
    }

    pub(crate) fn string(&mut self, place: usize) -> Result<Arc<str>, QueryError> {
        self.eval.string(self.node(place), self.time)
    }

    /// The strings from `place` on.
    pub(crate) fn strings(&mut self, place: usize) -> Result<Vec<Arc<str>>, QueryError> {
        let nodes = self.call.arguments.iter().skip(place);
        nodes
            .map(|node| self.eval.string(node, self.time))
            .collect()
    }

    pub(crate) fn vector(&mut self, place: usize) -> Result<Vec<InstantSample>, QueryError> {
        self.eval.vector(self.node(place), self.time)
    }

    /// Maps each number of the first argument; see [`Eval::floats`].
    pub(crate) fn floats(&mut self, function: impl Fn(f64) -> f64) -> Result<Value, QueryError> {
        let vector = self.vector(0)?;
        self.eval.floats(self.node.at, vector, function)
    }
}
