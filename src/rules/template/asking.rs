//! The data and queries that the functions of a template read.

use std::sync::Arc;

use super::value::{Data, Found, Value};

/// The limit of a template's output, in bytes.
pub(super) const BYTES: usize = 64 * 1024;

/// The limit of queries of a template.
const QUERIES: usize = 64;

/// Answers the queries of templates, or returns an error.
pub(in crate::rules) type Ask<'a> = dyn FnMut(&str) -> Result<Vec<Found>, String> + 'a;

/// The data of a template, and the answers to its queries.
pub(super) struct Asking<'a> {
    pub(super) data: Arc<Data>,
    ask: &'a mut Ask<'a>,
    queries: usize,
}

impl<'a> Asking<'a> {
    pub(super) fn new(data: Arc<Data>, ask: &'a mut Ask<'a>) -> Self {
        Self {
            data,
            ask,
            queries: 0,
        }
    }

    /// Runs a query at the time of the evaluation.
    pub(super) fn query(&mut self, text: &str) -> Result<Value, String> {
        self.queries += 1;
        if self.queries > QUERIES {
            return Err(format!("it runs more than {QUERIES} queries"));
        }
        let found = (self.ask)(text)?.into_iter();
        Ok(Value::List(
            found.map(|found| Value::Found(Arc::new(found))).collect(),
        ))
    }
}
