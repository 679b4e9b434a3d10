use std::fmt;
use std::sync::{Arc, OnceLock};

use super::chain::Chain;
use super::handles::{Ended, Open};
use super::protocol::Protocol;

/// The exchanges of one name, and the handles of their series, held, so that recording touches no
/// index of the registry. A cache line away from the count of references, which changes with each
/// exchange.
#[repr(align(64))]
pub(crate) struct Series<P: Protocol> {
    pub(crate) recorder: Arc<P::Recorder>,
    pub(crate) name: P::Name,
    /// Once there has been an exchange to record.
    open: OnceLock<Open>,
    ends: Chain<(P::Outcome, Ended)>,
}

impl<P: Protocol> Series<P> {
    pub(crate) fn new(recorder: &Arc<P::Recorder>, name: P::Name) -> Self {
        Self {
            recorder: Arc::clone(recorder),
            name,
            open: OnceLock::new(),
            ends: Chain::new(),
        }
    }

    /// Whether there has been an exchange to record.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.open.get().is_some()
    }

    /// The handles that an exchange uses before it ends.
    #[inline]
    pub(crate) fn open(&self) -> &Open {
        match self.open.get() {
            Some(open) => open,
            None => self.open_now(),
        }
    }

    #[cold]
    fn open_now(&self) -> &Open {
        self.open.get_or_init(|| {
            let mut open = Open::default();
            P::open(&self.recorder, &self.name, &mut open);
            open
        })
    }

    /// The handles for one way to end, of which there are few, the common ones first.
    #[inline]
    pub(crate) fn ended(&self, outcome: P::Outcome) -> &Ended {
        let (_, ended) = self.ends.find_or_add(
            |(known, _)| *known == outcome,
            || {
                let mut ended = Ended::default();
                P::ended(&self.recorder, &self.name, outcome, &mut ended);
                (outcome, ended)
            },
        );
        ended
    }
}

impl<P: Protocol> fmt::Debug for Series<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Series").field(&self.name).finish()
    }
}
