use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::sealed::{Sealed, Shape};
use super::{Metric, add_f64};
use crate::catalog::Kind;
use crate::registry::notes::Common;
use crate::registry::rejected::Rejected;
use crate::registry::snapshot::{ExemplarLabels, Number, Sample, Scratch, ValueRef};
use crate::registry::storage::{Cell, Place};

/// The cell of a counter series, which holds its value.
pub trait Sum: Cell + fmt::Debug {
    /// A cell at zero.
    fn new() -> Self;

    /// Adds `n`.
    fn add(&self, n: u64);

    /// The current value. Successive reads never decrease, except when it wraps.
    fn get(&self) -> u64;
}

impl Sum for AtomicU64 {
    fn new() -> Self {
        Self::new(0)
    }

    #[inline]
    fn add(&self, n: u64) {
        self.fetch_add(n, Ordering::Relaxed);
    }

    #[inline]
    fn get(&self) -> u64 {
        self.load(Ordering::Relaxed)
    }
}

/// A whole number that only increases. It wraps at 2⁶⁴, which Prometheus treats as a reset.
///
/// `S` determines how threads share it, and is rarely named: a declared one is a `Counter`, one
/// number for all threads, and with `striped` a
/// [`StripedCounter`](crate::registry::StripedCounter).
#[derive(Debug)]
pub struct Counter<S: Sum = AtomicU64> {
    pub(super) place: Place<S>,
    common: Arc<Common>,
}

impl<S: Sum> Counter<S> {
    /// Adds one.
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    #[inline]
    pub fn add(&self, n: u64) {
        self.place.use_cell(|sum| sum.add(n));
    }

    /// Adds one, with an exemplar; see [`add_with_exemplar`](Self::add_with_exemplar).
    #[inline]
    pub fn inc_with_exemplar(&self, labels: impl FnOnce(&mut ExemplarLabels)) {
        self.add_with_exemplar(1, labels);
    }

    /// Adds `n`, with an exemplar.
    ///
    /// The exemplar is taken, and `labels` called, only if a scrape has read the previous one, so
    /// this costs hardly more than [`add`](Self::add). A family keeps the last 1,024 exemplars of
    /// its counters. Labels that break a rule give no exemplar and are counted in
    /// `selfheal_exemplars_rejected_total`, see [`ExemplarLabels::push`]; without labels there is
    /// no exemplar.
    ///
    /// ```
    /// use selfheal::registry::{DeclareError, Registry};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let registry = Registry::new();
    /// let failures = registry.counter("failures_total", "Failures").build()?;
    /// failures.inc_with_exemplar(|labels| labels.push("trace_id", "4bf92f3577b34da6"));
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn add_with_exemplar(&self, n: u64, labels: impl FnOnce(&mut ExemplarLabels)) {
        if let Some(sum) = self.place.cell() {
            sum.add(n);
            self.place.notes().exemplar(&self.common, n as f64, labels);
        }
    }

    /// The current value.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.place.cell().map_or(0, S::get)
    }
}

impl<S: Sum> Clone for Counter<S> {
    fn clone(&self) -> Self {
        Self {
            place: self.place.clone(),
            common: Arc::clone(&self.common),
        }
    }
}

impl<S: Sum> Metric for Counter<S> {}

impl<S: Sum> Sealed for Counter<S> {
    type Cell = S;
    const KIND: Kind = Kind::Counter;

    fn cell(_: &Shape) -> S {
        S::new()
    }

    fn handle(place: Place<S>, shape: &Shape) -> Self {
        Self {
            place,
            common: Arc::clone(&shape.common),
        }
    }

    #[inline]
    fn read<'a>(sum: &'a S, _: &'a mut Scratch) -> Sample<'a> {
        Sample::new(ValueRef::Number(Number::U64(sum.get())))
    }
}

/// A sum of floating-point amounts that only increases: seconds, dollars.
///
/// A sum beyond [`f64::MAX`] becomes `+Inf` permanently, as in Prometheus' own clients: a scrape
/// accepts it, and no rate is computed from a sum stuck at a large number.
#[derive(Clone, Debug)]
pub struct FloatCounter {
    place: Place<AtomicU64>,
    rejected: Rejected,
    common: Arc<Common>,
}

/// Adds to the bits of an increasing sum, and returns whether it did.
#[inline]
pub(in crate::registry) fn grow(sum: &AtomicU64, rejected: &Rejected, amount: f64) -> bool {
    let grows = amount >= 0.0 && amount.is_finite();
    if grows {
        add_f64(sum, amount);
    } else {
        rejected.count();
    }
    grows
}

impl FloatCounter {
    /// Adds `amount`. A negative or non-finite amount is skipped and counted as rejected under the
    /// name of the metric, as it would ruin the counter.
    #[inline]
    pub fn add(&self, amount: f64) {
        self.place.use_cell(|sum| {
            grow(sum, &self.rejected, amount);
        });
    }

    /// Adds `amount`, with an exemplar; see [`Counter::add_with_exemplar`]. A skipped amount gives
    /// none.
    #[inline]
    pub fn add_with_exemplar(&self, amount: f64, labels: impl FnOnce(&mut ExemplarLabels)) {
        if let Some(sum) = self.place.cell()
            && grow(sum, &self.rejected, amount)
        {
            self.place.notes().exemplar(&self.common, amount, labels);
        }
    }

    /// The current value.
    #[must_use]
    pub fn get(&self) -> f64 {
        let sum = self.place.cell();
        sum.map_or(0.0, |sum| f64::from_bits(sum.get()))
    }
}

impl Metric for FloatCounter {}

impl Sealed for FloatCounter {
    type Cell = AtomicU64;
    const KIND: Kind = Kind::Counter;

    fn cell(_: &Shape) -> AtomicU64 {
        AtomicU64::new(0.0_f64.to_bits())
    }

    fn handle(place: Place<AtomicU64>, shape: &Shape) -> Self {
        Self {
            place,
            rejected: shape.rejected.clone(),
            common: Arc::clone(&shape.common),
        }
    }

    #[inline]
    fn read<'a>(sum: &'a AtomicU64, _: &'a mut Scratch) -> Sample<'a> {
        let sum = f64::from_bits(sum.load(Ordering::Relaxed));
        Sample::new(ValueRef::Number(Number::F64(sum)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::registry::{
        Counter, Family, FamilySnapshot, FloatCounter, Number, Registry, SeriesSnapshot, Settings,
        Text, Value,
    };
    use crate::util::Clock;

    const START: f64 = 1_577_836_800.0;

    fn series(gathered: &[FamilySnapshot], name: &str) -> SeriesSnapshot {
        let family = gathered.iter().find(|family| family.def.name == name);
        family.unwrap().series[0].clone()
    }

    #[test]
    fn series_know_when_they_were_created_where_that_is_asked_for() {
        let (clock, hand) = Clock::manual();
        let settings = Settings {
            metrics: crate::config::Metrics::new().created_times(true),
            ..Settings::default()
        };
        for (settings, known) in [(settings, true), (Settings::default(), false)] {
            let registry = Registry::with_clock(settings, clock.clone());
            registry.counter("a_total", "").build().unwrap();
            registry.counter("b_total", "").striped().build().unwrap();
            registry.histogram("c", "").striped().build().unwrap();
            registry.gauge("d", "").build().unwrap();
            let late: Family<_, [Text; 1]> = registry.histogram("e", "").labels(["x"]).unwrap();
            hand.advance(Duration::from_secs(10));
            late.observe(&["y"], 1.0);
            let gathered = registry.gather();
            let created = |name: &str| series(&gathered, name).created;
            let start = created("a_total");
            assert_eq!(start.is_some(), known);
            for name in ["b_total", "c"] {
                assert_eq!(created(name), start);
            }
            assert_eq!(created("d"), None, "a gauge has no beginning");
            assert_eq!(created("e"), start.map(|start| start + 10.0));
        }
    }

    #[test]
    fn a_sum_beyond_all_numbers_is_infinite_and_stays_so() {
        let registry = Registry::new();
        let family: Family<FloatCounter, [Text; 1]> =
            registry.float_counter("a_total", "").labels(["n"]).unwrap();
        let handle = family.with(&["x"]);
        handle.add(f64::MAX);
        assert_eq!(handle.get().to_bits(), f64::MAX.to_bits());
        family.add(&["x"], f64::MAX);
        for _ in 0..2 {
            assert!(handle.get().is_infinite());
            handle.add(1.0);
        }
        let gathered = registry.gather();
        let value = series(&gathered, "a_total").value;
        assert_eq!(value, Value::Number(Number::F64(f64::INFINITY)));
        assert_eq!(gathered.len(), 1, "neither amount was refused");
    }

    #[test]
    fn an_exemplar_is_reported_with_its_time_and_the_wrong_ones_are_counted() {
        let (clock, hand) = Clock::manual();
        let registry = Registry::with_clock(Settings::default(), clock);
        let a = registry.counter("a_total", "").build().unwrap();
        hand.advance(Duration::from_secs(5));
        a.add_with_exemplar(3, |labels| labels.push("trace_id", "1"));
        let b: Family<_, [Text; 1]> = registry.histogram("b", "").labels(["x"]).unwrap();
        b.observe_with_exemplar(&["y"], 0.5, |labels| labels.push("trace_id", "2"));
        let c: Family<_, [Text; 1]> = registry.counter("c_total", "").labels(["x"]).unwrap();
        c.inc_with_exemplar(&["y"], |labels| labels.push("trace-id", "3"));

        let gathered = registry.gather();
        let (a, b) = (series(&gathered, "a_total"), series(&gathered, "b"));
        let shown = |exemplar: &crate::registry::Exemplar| {
            let labels = exemplar.labels().to_owned();
            (labels, exemplar.value.to_string(), exemplar.at - START)
        };
        let of_a = shown(&a.exemplar.unwrap());
        assert_eq!(of_a, ("trace_id=\"1\"".into(), "3".into(), 5.0));
        let Value::Histogram(b) = b.value else {
            unreachable!("{b:?}");
        };
        assert_eq!((b.count(), b.exemplars.len()), (1, 1));
        assert_eq!(
            shown(&b.exemplars[0]),
            ("trace_id=\"2\"".into(), "0.5".into(), 5.0)
        );
        let c = series(&gathered, "c_total");
        assert_eq!((c.value, c.exemplar), (Value::Number(Number::U64(1)), None));
        let rejected = series(&gathered, "selfheal_exemplars_rejected_total");
        assert_eq!(&*rejected.labels, "metric=\"c_total\"");
        assert_eq!(rejected.value, Value::Number(Number::U64(1)));
    }

    #[test]
    fn what_is_noted_stays_with_its_series_when_the_others_go() {
        let (clock, hand) = Clock::manual();
        let settings = Settings {
            metrics: crate::config::Metrics::new().created_times(true),
            ..Settings::default()
        };
        let registry = Registry::with_clock(settings, clock);
        let family: Family<FloatCounter, [Text; 1]> =
            registry.float_counter("a_total", "").labels(["n"]).unwrap();
        for n in 0..300 {
            family.add(&[n.to_string()], 0.5);
            hand.advance(Duration::from_secs(1));
        }
        family.add_with_exemplar(&["8"], 2.0, |labels| labels.push("id", "x"));
        family.add_with_exemplar(&["9"], -1.0, |_| unreachable!("it is left out"));
        let handle = family.with(&["299"]);
        let stays = ["8", "9", "299"];
        family.remove_matching(|labels| !stays.contains(&&*labels.get("n").unwrap()));
        handle.add_with_exemplar(f64::NAN, |_| unreachable!("it is left out"));
        handle.add_with_exemplar(4.0, |labels| labels.push("id", "y"));

        let shown: Vec<_> = family.snapshot().series.into_iter().collect();
        let shown = shown.iter().map(|series| {
            let exemplar = series.exemplar.as_ref();
            let exemplar = exemplar.map(|shown| (shown.labels(), shown.value, shown.at - START));
            (series.created.unwrap() - START, exemplar)
        });
        let want = [
            (8.0, Some(("id=\"x\"", 2.0, 300.0))),
            (9.0, None),
            (299.0, Some(("id=\"y\"", 4.0, 300.0))),
        ];
        assert_eq!(shown.collect::<Vec<_>>(), want);
        let kept = family.retain(|_, sample| sample.exemplar.is_some());
        assert_eq!((kept, family.len()), (1, 2), "the one without");
    }

    #[test]
    fn series_have_notes_from_the_first_exemplar_on() {
        let registry = Registry::new();
        let family: Family<Counter, [Text; 1]> =
            registry.counter("a_total", "").labels(["n"]).unwrap();
        let handles = ["a", "b"].map(|n| family.with(&[n]));
        let noted = || {
            let notes = handles.each_ref().map(|handle| handle.place.notes().get());
            notes.map(|note| note.is_some())
        };
        handles[0].inc_with_exemplar(|_| {});
        assert_eq!(noted(), [false, false], "without labels there is none");
        handles[0].inc_with_exemplar(|labels| labels.push("id", "x"));
        assert_eq!(noted(), [true, true], "they are made together");
        let alone = registry.counter("b_total", "").build().unwrap();
        alone.inc_with_exemplar(|labels| labels.push("no name", "x"));
        alone.inc_with_exemplar(|_| unreachable!("a scrape comes first"));
        assert_eq!((alone.get(), handles[0].get()), (2, 2));
    }
}
