//! The same work in the other libraries, each used as its documentation has it.

pub(crate) mod measured;
pub(crate) mod metrics;
pub(crate) mod metriken;
pub(crate) mod prometheus;
pub(crate) mod prometheus_client;
