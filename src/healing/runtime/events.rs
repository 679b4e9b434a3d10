//! The event stream for subscribers.

use std::fmt;
use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::healing::core::{Notice, Record};

/// The number of events kept for slow subscribers.
pub(super) const KEPT: usize = 1024;

/// A decision, action or refusal of the engine.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum HealingEvent {
    /// A journaled record.
    Record(Arc<Record>),
    /// An occurrence that is not journaled.
    Notice(Notice),
    /// This subscriber was too slow and missed this many events.
    Missed(u64),
}

/// The events since the subscription. A slow subscriber blocks no other.
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
