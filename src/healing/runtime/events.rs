//! The stream of everything that happens.

use std::fmt;
use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::healing::core::{Notice, Record};

/// So many events are kept for subscribers that are behind.
pub(super) const KEPT: usize = 1024;

/// Something that the engine decided, did or refused.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum HealingEvent {
    /// What also stands in the journal.
    Record(Arc<Record>),
    /// What is not worth a record.
    Notice(Notice),
    /// This subscriber was so far behind that it missed so many events.
    Missed(u64),
}

/// The events from the subscription on. A subscriber that does not read holds up no other.
pub struct Events(pub(super) broadcast::Receiver<HealingEvent>);

impl Events {
    /// The next event; none after the engine has ended. Cancel-safe.
    pub async fn next(&mut self) -> Option<HealingEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(missed)) => Some(HealingEvent::Missed(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("waiting", &self.0.len())
            .finish()
    }
}
