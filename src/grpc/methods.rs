use std::fmt;
use std::sync::{Arc, OnceLock};

use tonic::Code;

use super::declare::RpcKind;
use super::exclude::Exclude;
use super::names::Name;
use super::path;
use super::protocol::{Recorder, Series};
use crate::exchange::Known;
use crate::registry::MAX_LABEL_VALUE;

/// The limit of learnt methods. A program has a fixed number of methods; the limit protects a proxy
/// that serves any method.
const MAX_LEARNT: usize = 1_000;

/// The number of hash lists. An empty table takes two kilobytes.
const LISTS: usize = 256;

/// When an undeclared method becomes known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learn {
    Never,
    /// When a handler answers a call of it.
    FromAnswers,
    /// When it is first named; for names that come from the program itself.
    FromNames,
}

/// All known methods, by service and name. Kept a cache line apart from the reference count, which
/// changes whenever a service is cloned.
#[repr(align(64))]
pub(crate) struct Methods {
    pub(super) recorder: Arc<Recorder>,
    /// Whether any of the metrics is a duration.
    pub(super) timed: bool,
    known: Known<Series, LISTS>,
    unknown: OnceLock<Arc<Series>>,
    learn: Learn,
    exclude: Exclude,
}

impl Methods {
    pub(super) fn new(recorder: Recorder, learn: Learn, exclude: Exclude) -> Self {
        Self::with_max(recorder, learn, exclude, MAX_LEARNT)
    }

    fn with_max(recorder: Recorder, learn: Learn, exclude: Exclude, max: usize) -> Self {
        Self {
            timed: recorder.naming.samples(),
            recorder: Arc::new(recorder),
            known: Known::new(max),
            unknown: OnceLock::new(),
            learn,
            exclude,
        }
    }

    /// Makes a method known from the start, unless it is excluded. Its series start at zero, since
    /// a rate misses the first increment of a new series.
    pub(super) fn declare(&self, service: &str, method: &str, kind: Option<RpcKind>) {
        if !self.excludes(service, method) {
            let make = || self.series(service, method, kind);
            let series = path::joined(service, method, |path| self.known.add(path, is(path), make));
            series.open();
            series.ended(Code::Ok);
        }
    }

    /// Returns the method of the path `service/method` if it is known, without allocation, lock or
    /// write to shared memory.
    #[inline]
    pub(super) fn find(&self, path: &[u8]) -> Option<&Arc<Series>> {
        self.known.find(path, is(path))
    }

    /// The series shared by all unknown methods.
    pub(super) fn unknown(&self) -> &Arc<Series> {
        self.unknown
            .get_or_init(|| Arc::new(Series::new(&self.recorder, Name::unknown())))
    }

    /// Returns the method, learnt by name up to the limit; `None` if it is excluded.
    #[inline]
    pub(super) fn by_name(&self, service: &str, method: &str) -> Option<&Arc<Series>> {
        let known = path::joined(service, method, |path| self.find(path));
        known.or_else(|| self.by_new_name(service, method))
    }

    #[cold]
    fn by_new_name(&self, service: &str, method: &str) -> Option<&Arc<Series>> {
        if self.excludes(service, method) {
            return None;
        }
        let series = match self.learn {
            Learn::FromNames => self.learn(service, method),
            Learn::Never | Learn::FromAnswers => None,
        };
        Some(series.unwrap_or_else(|| self.unknown()))
    }

    /// Whether calls of an unknown method are excluded.
    pub(super) fn excludes(&self, service: &str, method: &str) -> bool {
        self.exclude.matches(service, method)
    }

    /// Whether an answer would make this method known.
    pub(super) fn learns(&self, service: &str, method: &str) -> bool {
        self.learn == Learn::FromAnswers
            && self.known.has_space()
            && is_name(service)
            && is_name(method)
    }

    /// Makes a method known, up to the limit.
    #[cold]
    pub(super) fn learn(&self, service: &str, method: &str) -> Option<&Arc<Series>> {
        if !is_name(service) || !is_name(method) {
            return None;
        }
        let make = |_| self.series(service, method, None);
        path::joined(service, method, |path| {
            self.known.learn(path, is(path), make)
        })
    }

    fn series(&self, service: &str, method: &str, kind: Option<RpcKind>) -> Series {
        Series::new(&self.recorder, Name::new(service, method, kind))
    }
}

/// Whether a series is that of the path `service/method`.
#[inline]
fn is(path: &[u8]) -> impl Fn(&Series) -> bool {
    move |series| series.name.path().as_bytes() == path
}

/// Whether this can be the name of a service or a method: protobuf identifiers and dots, no longer
/// than the limit of label values.
fn is_name(name: &str) -> bool {
    let fits = (1..=MAX_LABEL_VALUE).contains(&name.len());
    fits && name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Methods")
            .field("side", &self.recorder.side)
            .field("learn", &self.learn)
            .field("learnt", &self.known.learnt())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::metrics::{self, Side};
    use crate::grpc::names::{GrpcNames, UNKNOWN};
    use crate::registry::Registry;
    use crate::util::Clock;

    fn methods(registry: &Registry, learn: Learn) -> Methods {
        let recorder = Recorder {
            naming: metrics::declare(registry, Side::Server, GrpcNames::Catalog).unwrap(),
            clock: Clock::system(),
            trace: crate::trace::Source::default(),
            side: Side::Server,
            timeout: None,
            traffic: None,
        };
        let mut exclude = Exclude::default();
        exclude.add("x.Y");
        Methods::with_max(recorder, learn, exclude, 10)
    }

    #[test]
    fn a_method_is_the_same_the_second_time() {
        let methods = methods(&Registry::new(), Learn::FromAnswers);
        assert!(methods.find(b"a.B/C").is_none());
        let learnt = methods.learn("a.B", "C").unwrap();
        assert!(Arc::ptr_eq(learnt, methods.find(b"a.B/C").unwrap()));
        assert!(Arc::ptr_eq(learnt, methods.learn("a.B", "C").unwrap()));
        assert!(Arc::ptr_eq(learnt, methods.by_name("a.B", "C").unwrap()));
        assert_eq!(methods.known.learnt(), 1);
        assert!(methods.find(b"a./BC").is_none(), "cut elsewhere");
    }

    #[test]
    fn a_declared_method_is_exposed_at_zero() {
        let registry = Registry::new();
        let methods = methods(&registry, Learn::Never);
        methods.declare("a.B", "C", Some(RpcKind::Unary));
        methods.declare("a.B", "C", None);
        assert_eq!(registry.series(), 5);
        let name = |method| methods.by_name("a.B", method).unwrap().name.clone();
        assert_eq!(name("C").kind, Some(RpcKind::Unary));
        assert!(name("D").is_unknown());
    }

    #[test]
    fn an_excluded_method_never_becomes_known() {
        let registry = Registry::new();
        let methods = methods(&registry, Learn::FromNames);
        methods.declare("x.Y", "Z", None);
        assert!(methods.by_name("x.Y", "Z").is_none());
        assert!(methods.find(b"x.Y/Z").is_none() && methods.excludes("x.Y", "Z"));
        assert_eq!(methods.known.learnt(), 0, "no space is taken");
        assert_eq!(registry.series(), 0);
    }

    #[test]
    fn names_without_end_share_one() {
        let methods = methods(&Registry::new(), Learn::FromNames);
        for n in 0..1_000 {
            let name = &methods.by_name("a.B", &format!("M{n}")).unwrap().name;
            assert_eq!(name.is_unknown(), n >= 10, "{n}");
        }
        assert_eq!(
            methods.by_name("a.B", "M3").unwrap().name.method(),
            "M3",
            "still there"
        );
    }

    #[test]
    fn what_is_no_name_is_not_learnt() {
        let methods = methods(&Registry::new(), Learn::FromAnswers);
        let long = "x".repeat(MAX_LABEL_VALUE + 1);
        for bad in ["", "a/b", "a b", "ä", "a%2F", &long] {
            assert!(methods.learn("a.B", bad).is_none(), "{bad}");
            assert!(!methods.learns(bad, "C"), "{bad}");
        }
        assert_eq!(methods.unknown().name.service(), UNKNOWN);
    }
}
