use super::{Counter, Gauge, Histogram};

/// A handle that is kept for long, and looked up again once its series is gone.
pub(crate) trait Handle {
    /// Lets the series expire even if this handle is kept. Returns whether it may.
    fn loosen(&mut self) -> bool;

    /// Whether the series exists. This counts as use: it does not expire before it is recorded to.
    fn may_use(&self) -> bool;
}

macro_rules! handle {
    ($type:ty, $place:tt) => {
        impl Handle for $type {
            fn loosen(&mut self) -> bool {
                self.$place.loosen()
            }

            fn may_use(&self) -> bool {
                self.$place.may_use()
            }
        }
    };
}

handle!(Counter, place);
handle!(Gauge, 0);
handle!(Histogram, place);
