use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::protocol::{Generic, Protocol};

/// A service whose requests or calls are recorded; created by the layer of a protocol.
pub struct Recorded<S, P: Protocol, M = Generic> {
    pub(crate) inner: S,
    pub(crate) shared: Arc<P::Shared>,
    mode: PhantomData<fn() -> M>,
}

impl<S, P: Protocol, M> Recorded<S, P, M> {
    pub(crate) fn new(inner: S, shared: Arc<P::Shared>) -> Self {
        Self {
            inner,
            shared,
            mode: PhantomData,
        }
    }

    /// Returns the inner service.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns the inner service.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service; exchanges in flight are still recorded.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Clone, P: Protocol, M> Clone for Recorded<S, P, M> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.shared))
    }
}

impl<S: fmt::Debug, P: Protocol, M> fmt::Debug for Recorded<S, P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("inner", &self.inner)
            .field("shared", &self.shared)
            .finish()
    }
}
