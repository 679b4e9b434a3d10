use std::sync::Arc;
use std::time::Duration;

use tonic::Code;

use super::metrics::Side;
use super::names::{Ended, Handles, Name, Naming};
use crate::exchange::Chain;
use crate::health::TrafficCounter;
use crate::trace::Source;
use crate::util::Clock;

/// What every method of a layer records with.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) naming: Arc<dyn Naming>,
    pub(super) clock: Clock,
    pub(super) trace: Source,
    pub(super) side: Side,
    /// The time-out that the server keeps of its own accord.
    pub(super) timeout: Option<Duration>,
    /// What was answered, on a server.
    pub(super) traffic: Option<Arc<TrafficCounter>>,
}

/// One method, and the handles of its series, held, so that recording touches no index of the
/// registry. A cache line away from the count of references, which changes with each call.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Series {
    pub(super) recorder: Arc<Recorder>,
    pub(super) name: Name,
    pub(super) handles: Handles,
    /// Whether any of its metrics is a duration.
    pub(super) timed: bool,
    ends: Chain<(Code, Ended)>,
}

impl Series {
    pub(super) fn new(recorder: &Arc<Recorder>, name: Name) -> Self {
        Self {
            handles: recorder.naming.handles(&name),
            timed: recorder.naming.samples(),
            recorder: Arc::clone(recorder),
            name,
            ends: Chain::new(),
        }
    }

    /// Counts a call that has started, if anybody does.
    #[inline]
    pub(super) fn started(&self) {
        if let Some(started) = &self.handles.started {
            started.inc();
        }
    }

    /// The handles for `code`: 17 at most, the common ones first.
    #[inline]
    pub(super) fn ended(&self, code: Code) -> &Ended {
        let (_, ended) = self.ends.find_or_add(
            |(known, _)| *known == code,
            || (code, self.recorder.naming.ended(&self.name, code)),
        );
        ended
    }
}
