//! Replaces TLS if it is not compiled in: setting it up fails.

mod error;

use std::convert::Infallible;
use std::future::pending;

use super::answers::{Answers, Stop};
use super::refused::Refusal;
use crate::config;

pub use error::TlsError;

#[derive(Clone, Debug)]
pub(super) struct Tls(Infallible);

impl Tls {
    pub(super) fn load(_: &config::Tls) -> Result<Self, TlsError> {
        Err(TlsError::NotBuilt)
    }

    pub(super) async fn renew(&self) {
        pending::<()>().await;
    }

    #[expect(clippy::unused_async, reason = "with the feature it is async")]
    pub(super) async fn serve<I>(&self, _: I, _: Answers, _: Stop<'_>) -> Result<(), Refusal> {
        match self.0 {}
    }
}
