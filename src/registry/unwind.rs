//! Unwind safety of registries and handles.
//!
//! No lock is held while foreign code runs, and code under a lock does not panic; so handles and
//! registries may be used on both sides of a [`catch_unwind`](std::panic::catch_unwind), such as in
//! a server that catches the panics of its requests. The compiler cannot infer this through locks
//! and functions, so it is asserted here.

use std::panic::{RefUnwindSafe, UnwindSafe};

use super::Inner;
use super::family::Core;
use super::metric::Metric;
use super::notes::Common;
use super::storage::{Cell, Place};

impl UnwindSafe for Inner {}
impl RefUnwindSafe for Inner {}

impl<M: Metric> UnwindSafe for Core<M> {}
impl<M: Metric> RefUnwindSafe for Core<M> {}

impl UnwindSafe for Common {}
impl RefUnwindSafe for Common {}

impl<C: Cell> UnwindSafe for Place<C> {}
impl<C: Cell> RefUnwindSafe for Place<C> {}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;
    use crate::registry::{
        Counter, DeclareError, Family, FloatCounter, Gauge, GaugeFn, Group, Histogram, Info,
        Registry, StateSet, StripedCounter, StripedHistogram, Text,
    };

    struct Late;
    impl Group for Late {
        const NAME: &'static str = "late";
        fn declare(_: &Registry) -> Result<Self, DeclareError> {
            panic!("in a declaration")
        }
    }

    #[test]
    fn handles_pass_through_what_catches_panics() {
        fn holds<T: UnwindSafe + RefUnwindSafe>() {}
        holds::<Registry>();
        holds::<(Counter, FloatCounter, Gauge, GaugeFn, Histogram, Info)>();
        holds::<(StripedCounter, StripedHistogram, StateSet<bool>)>();
        holds::<Family<Histogram, (Text, bool)>>();

        let registry = Registry::new();
        let calls = registry.counter("calls_total", "").build().unwrap();
        let caught = catch_unwind(|| {
            calls.inc();
            registry
                .gauge_fn("a", "", || panic!("in a function"))
                .unwrap();
            let _ = registry.gather();
            assert_eq!(calls.get(), 0, "the caller's own fault");
        });
        assert!(caught.is_err());
        calls.inc();
        assert_eq!(calls.get(), 2);
        assert!(catch_unwind(|| registry.group::<Late>().is_ok()).is_err());
        assert!(registry.counter("later_total", "").build().is_ok());
    }
}
