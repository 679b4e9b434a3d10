//! The metric names of API calls in general.

use std::fmt;
use std::sync::Arc;

use super::{Name, Naming};
use crate::exchange::{Ended, Open};
use crate::groups::{ApiMetrics, RATE_LIMIT};
use crate::http_client::outcome::Outcome;
use crate::registry::{DeclareError, Registry};
use crate::track;

pub(super) struct Api(Arc<ApiMetrics>);

impl Api {
    pub(super) fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        registry.group().map(Self)
    }
}

impl Naming for Api {
    fn open(&self, _: &Name, _: &mut Open) {}

    fn end(&self, name: &Name, outcome: Outcome, handles: &mut Ended) {
        let metrics = Arc::clone(&self.0);
        let api: Box<str> = name.label().into();
        let error: Option<Box<str>> = match outcome.status() {
            Some(..400) => None,
            Some(429) => Some(RATE_LIMIT.into()),
            _ => Some(outcome.label(&mut itoa::Buffer::new()).into()),
        };
        handles.also.push(Box::new(move |took| {
            let outcome = match &error {
                _ if outcome == Outcome::Cancelled => track::Outcome::Abandoned,
                None => track::Outcome::Success,
                Some(error) => track::Outcome::Error(error),
            };
            metrics.ended(&api, outcome, took);
        }));
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Api")
    }
}
