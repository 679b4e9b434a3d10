use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::common::{Born, Common};
use super::exemplar::Mark;
use super::sealed::{Sealed, Shape, Visit};
use super::{Metric, add_f64};
use crate::catalog::Kind;
use crate::registry::family::Rejected;
use crate::registry::snapshot::{ExemplarLabels, Number, Sample, Scratch, ValueRef};
use crate::registry::storage::Place;

/// The state of one series of counters: 16 bytes.
#[derive(Debug)]
pub struct Cell {
    /// A whole number, or the bits of a sum.
    value: AtomicU64,
    born: Born,
    exemplar: Mark,
}

impl Cell {
    fn new(shape: &Shape) -> Self {
        Self {
            // The bits of 0.0 are 0 too.
            value: AtomicU64::new(0),
            born: Born::now(&shape.common),
            exemplar: Mark::default(),
        }
    }

    #[inline]
    pub(crate) fn add(&self, n: u64) {
        self.value.fetch_add(n, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn add_float(&self, rejected: &Rejected, amount: f64) {
        if amount >= 0.0 && amount.is_finite() {
            add_f64(&self.value, amount);
        } else {
            rejected.count();
        }
    }

    #[inline]
    pub(crate) fn exemplar(
        &self,
        common: &Common,
        grown_by: f64,
        labels: impl FnOnce(&mut ExemplarLabels),
    ) {
        self.exemplar.offer(common, grown_by, labels);
    }

    #[inline]
    fn get(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }

    /// Whether there is nothing to know but the value.
    #[inline]
    fn is_plain(&self) -> bool {
        self.born.is_unknown() && self.exemplar.is_none()
    }

    /// What nobody asked to know more of is read out by two loads.
    #[inline]
    fn sample<'a>(&self, number: Number, scratch: &'a mut Scratch) -> Sample<'a> {
        let value = ValueRef::Number(number);
        if self.is_plain() {
            return Sample::new(value);
        }
        self.whole_sample(value, scratch)
    }

    #[inline(never)]
    fn whole_sample<'a>(&self, value: ValueRef<'a>, scratch: &'a mut Scratch) -> Sample<'a> {
        scratch.exemplars.clear();
        let exemplar = self.exemplar.read(&scratch.common);
        scratch.exemplars.extend(exemplar);
        Sample {
            value,
            created: self.born.at(&scratch.common),
            exemplar: scratch.exemplars.first(),
        }
    }
}

/// A whole number that only grows. It wraps at 2⁶⁴, as Prometheus expects of a reset.
#[derive(Clone, Debug)]
pub struct Counter {
    place: Place<Cell>,
    common: Arc<Common>,
}

impl Counter {
    /// Adds one.
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    #[inline]
    pub fn add(&self, n: u64) {
        self.place.use_cell(|cell| cell.add(n));
    }

    /// Adds one, with an exemplar; see [`add_with_exemplar`](Self::add_with_exemplar).
    #[inline]
    pub fn inc_with_exemplar(&self, labels: impl FnOnce(&mut ExemplarLabels)) {
        self.add_with_exemplar(1, labels);
    }

    /// Adds `n`, and offers an exemplar of it.
    ///
    /// It is taken where the one before was read by a scrape, and only then is `labels` called,
    /// so that this costs hardly more than [`add`](Self::add). A family keeps the last 1,024
    /// exemplars of its counters. Labels that break a rule make no exemplar and are counted in
    /// `selfheal_exemplars_rejected_total`, see [`ExemplarLabels::push`]; without any there is
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
        self.add(n);
        if let Some(cell) = self.place.cell() {
            cell.exemplar(&self.common, n as f64, labels);
        }
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.place.cell().map_or(0, Cell::get)
    }
}

impl Metric for Counter {}

impl Sealed for Counter {
    type Cell = Cell;
    const KIND: Kind = Kind::Counter;

    fn cell(shape: &Shape) -> Cell {
        Cell::new(shape)
    }

    fn handle(place: Place<Cell>, shape: &Shape) -> Self {
        Self {
            place,
            common: Arc::clone(&shape.common),
        }
    }

    fn read<'a>(cell: &'a Cell, scratch: &'a mut Scratch) -> Sample<'a> {
        cell.sample(Number::U64(cell.get()), scratch)
    }

    /// As it is by default, but what most series are goes straight to `visit`: a sample that is
    /// put together elsewhere and copied makes a page of counters a third slower.
    #[inline]
    fn each(
        cell: &Cell,
        (_, labels): (&str, &str),
        scratch: &mut Scratch,
        visit: Visit<'_>,
    ) -> ControlFlow<()> {
        if cell.is_plain() {
            let value = ValueRef::Number(Number::U64(cell.get()));
            return visit(labels, Sample::new(value));
        }
        visit(labels, Self::read(cell, scratch))
    }
}

/// A sum of floating-point amounts that only grows: seconds, dollars.
#[derive(Clone, Debug)]
pub struct FloatCounter {
    place: Place<Cell>,
    rejected: Rejected,
}

impl FloatCounter {
    /// Adds `amount`. A negative amount or one that is not finite is left out and counted as
    /// rejected under the name of the metric, for a counter that takes either is ruined.
    #[inline]
    pub fn add(&self, amount: f64) {
        self.place
            .use_cell(|cell| cell.add_float(&self.rejected, amount));
    }

    /// The value now.
    #[must_use]
    pub fn get(&self) -> f64 {
        f64::from_bits(self.place.cell().map_or(0, Cell::get))
    }
}

impl Metric for FloatCounter {}

impl Sealed for FloatCounter {
    type Cell = Cell;
    const KIND: Kind = Kind::Counter;

    fn cell(shape: &Shape) -> Cell {
        Cell::new(shape)
    }

    fn handle(place: Place<Cell>, shape: &Shape) -> Self {
        Self {
            place,
            rejected: shape.rejected.clone(),
        }
    }

    fn read<'a>(cell: &'a Cell, scratch: &'a mut Scratch) -> Sample<'a> {
        cell.sample(Number::F64(f64::from_bits(cell.get())), scratch)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::registry::{
        Family, FamilySnapshot, Number, Registry, SeriesSnapshot, Settings, Text, Value,
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
            created_times: true,
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
    fn an_exemplar_is_told_with_its_time_and_the_wrong_ones_are_counted() {
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
        let told = |exemplar: &crate::registry::Exemplar| {
            let labels = exemplar.labels().to_owned();
            (labels, exemplar.value.to_string(), exemplar.at - START)
        };
        let of_a = told(&a.exemplar.unwrap());
        assert_eq!(of_a, ("trace_id=\"1\"".into(), "3".into(), 5.0));
        let Value::Histogram(b) = b.value else {
            unreachable!("{b:?}");
        };
        assert_eq!((b.count(), b.exemplars.len()), (1, 1));
        assert_eq!(
            told(&b.exemplars[0]),
            ("trace_id=\"2\"".into(), "0.5".into(), 5.0)
        );
        let c = series(&gathered, "c_total");
        assert_eq!((c.value, c.exemplar), (Value::Number(Number::U64(1)), None));
        let rejected = series(&gathered, "selfheal_exemplars_rejected_total");
        assert_eq!(&*rejected.labels, "metric=\"c_total\"");
        assert_eq!(rejected.value, Value::Number(Number::U64(1)));
    }

    #[test]
    fn a_counter_is_16_bytes() {
        assert_eq!(size_of::<super::Cell>(), 16);
    }
}
