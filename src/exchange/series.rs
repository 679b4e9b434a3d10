use std::fmt;
use std::sync::{Arc, OnceLock};

use super::chain::Chain;
use super::handles::{Ended, Open};
use super::protocol::Protocol;
use super::renewing::{Current, Held, Renewing};

/// The exchanges of one name, and the handles of their series, kept so that recording needs no
/// lookup in the registry. Kept a cache line apart from the reference count, which changes with
/// each exchange.
#[repr(align(64))]
pub(crate) struct Series<P: Protocol> {
    pub(crate) recorder: Arc<P::Recorder>,
    pub(crate) name: P::Name,
    /// Set by the first recorded exchange.
    open: OnceLock<Renewing<Open>>,
    ends: Chain<(P::Outcome, Renewing<Ended>)>,
}

/// The handles with which an exchange is in flight; it leaves with the same ones.
#[derive(Debug)]
pub(crate) enum Entered {
    First,
    Later(Arc<Held<Open>>),
}

impl Entered {
    /// Counts an exchange as in flight by the current handles of its series.
    #[inline]
    pub(super) fn by(open: Current<'_, Open>) -> Self {
        open.enter();
        match open {
            Current::First(_) => Self::First,
            Current::Later(held) => Self::Later(held),
        }
    }
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

    /// The handles used before an exchange ends, if one was recorded.
    #[inline]
    pub(crate) fn if_open(&self) -> Option<Current<'_, Open>> {
        let open = self.open.get()?;
        Some(open.get(|| self.look_up()))
    }

    /// The handles used before an exchange ends.
    #[inline]
    pub(crate) fn open(&self) -> Current<'_, Open> {
        self.opened().get(|| self.look_up())
    }

    #[inline]
    fn opened(&self) -> &Renewing<Open> {
        match self.open.get() {
            Some(open) => open,
            None => self.open_now(),
        }
    }

    #[cold]
    fn open_now(&self) -> &Renewing<Open> {
        self.open.get_or_init(|| Renewing::new(|| self.look_up()))
    }

    fn look_up(&self) -> Open {
        let mut open = Open::default();
        P::open(&self.recorder, &self.name, &mut open);
        open
    }

    /// Counts an exchange as in flight. Its series do not expire meanwhile.
    #[inline]
    pub(crate) fn enter(&self) -> Entered {
        Entered::by(self.open())
    }

    /// Ends the time in flight of an exchange.
    #[inline]
    pub(crate) fn leave(&self, entered: Entered) {
        match entered {
            Entered::First => self.opened().first().leave(),
            Entered::Later(open) => open.leave(),
        }
    }

    /// The handles for an outcome; there are few, with the common ones first.
    #[inline]
    pub(crate) fn ended(&self, outcome: P::Outcome) -> Current<'_, Ended> {
        let look_up = || {
            let mut ended = Ended::default();
            P::ended(&self.recorder, &self.name, outcome, &mut ended);
            ended
        };
        let (_, ended) = self.ends.find_or_add(
            |(known, _)| *known == outcome,
            || (outcome, Renewing::new(look_up)),
        );
        ended.get(look_up)
    }
}

impl<P: Protocol> fmt::Debug for Series<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Series").field(&self.name).finish()
    }
}
