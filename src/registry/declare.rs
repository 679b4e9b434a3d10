use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::dynamic::Values;
use super::error::DeclareError;
use super::family::{Core, Family};
use super::labels::LabelKey;
use super::metric::{Counter, Histogram, Info, Metric, StripedCounter, StripedHistogram, Tally};
use super::settings::DEFAULT_BUCKETS;
use super::{Registry, group};
use crate::catalog::{Alias, Allowed, Kind, MetricDef, Native, Unit};

/// The values of a label are listed in the catalogue if there are fewer.
const MAX_LISTED: usize = 64;

/// A metric declaration; made by [`Registry::counter`] and its siblings, ended by
/// [`build`](Declare::build) or [`labels`](Declare::labels).
#[derive(Debug)]
#[must_use = "a metric is declared by `build` or `labels`"]
pub struct Declare<'r, M> {
    pub(super) registry: &'r Registry,
    pub(super) def: MetricDef,
    expire_after: Option<Duration>,
    metric: PhantomData<M>,
}

impl<'r, M: Metric> Declare<'r, M> {
    pub(super) fn new(registry: &'r Registry, name: &'static str, help: &'static str) -> Self {
        let mut def = MetricDef::new(M::KIND, name, help);
        if def.kind == Kind::Histogram {
            def.buckets = DEFAULT_BUCKETS.to_vec();
        }
        def.group = group::declaring();
        Self {
            registry,
            def,
            expire_after: None,
            metric: PhantomData,
        }
    }

    /// The same declaration of another type of metric.
    pub(super) fn of_type<N: Metric>(self) -> Declare<'r, N> {
        Declare {
            registry: self.registry,
            def: self.def,
            expire_after: self.expire_after,
            metric: PhantomData,
        }
    }

    /// Sets the unit. Default: the last word of the name, if it is one of the constants of
    /// [`Unit`].
    pub fn unit(mut self, unit: Unit) -> Self {
        self.def.unit = Some(unit);
        self
    }

    /// Omits the namespace from the name, for standardised names.
    pub fn standard_name(mut self) -> Self {
        self.def.namespaced = false;
        self
    }

    /// Allows any UTF-8 names for the metric and its labels; see [`MetricDef::utf8_names`].
    ///
    /// ```
    /// use selfheal::registry::{DeclareError, Family, Gauge, Registry, Text};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let waiting: Family<Gauge, [Text; 1]> = Registry::new()
    ///     .gauge("queue.length", "Messages that wait")
    ///     .utf8_names()
    ///     .labels(["queue.name"])?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn utf8_names(mut self) -> Self {
        self.def.utf8 = true;
        self
    }

    /// Removes series that are idle for this long, so that entities that no longer exist (a
    /// customer, a peer, a file) do not fill memory and scrapes. Default: series stay.
    ///
    /// A series is idle while nothing is recorded under its labels and no handle to it exists: a
    /// handle to a series that is no longer exposed would silently lose data, so a held series
    /// stays. A removed series starts at zero again, which Prometheus takes as a counter reset.
    /// Setting the function of a [`GaugeFn`] counts as recording, calling it does not. A metric
    /// without labels does not expire, nor does the overflow series. Zero means that series stay.
    ///
    /// Expiry is checked periodically: a series is removed at most 30 s, or a quarter of the time
    /// plus 1 s, after it expires; see [`Registry::expire`]. Of two declarations of one metric the
    /// first decides; an operator overrides both, by
    /// [`FamilySettings::expire_after`](super::FamilySettings::expire_after).
    ///
    /// ```
    /// use std::time::Duration;
    /// use selfheal::registry::{Counter, Family, Registry, Text};
    /// use selfheal::util::Clock;
    ///
    /// # fn main() -> Result<(), selfheal::registry::DeclareError> {
    /// let (clock, hand) = Clock::manual();
    /// let registry = Registry::new();
    /// let sent: Family<Counter, [Text; 1]> = registry
    ///     .counter("sent_total", "Messages sent")
    ///     .expire_after(Duration::from_secs(600))
    ///     .labels(["customer"])?;
    /// sent.inc(&["c-17"]);
    /// registry.expire(clock.now());
    /// hand.advance(Duration::from_secs(600));
    /// assert_eq!(registry.expire(clock.now()), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`GaugeFn`]: super::GaugeFn
    pub fn expire_after(mut self, idle: Duration) -> Self {
        self.expire_after = Some(idle);
        self
    }

    /// Adds another name under which the metric is exposed, with the same values, if a profile
    /// enables it. Default: none. A metric may have several; see [`Alias`].
    pub fn alias(mut self, alias: Alias) -> Self {
        self.def.aliases.push(alias);
        self
    }

    /// Restricts a label to these values. Any other is recorded as [`OTHER`] and counted in
    /// `selfheal_label_values_overflowed_total`; a closed type, see [`LabelValue::VALUES`], has no
    /// others. Default: as the type of the label has it.
    ///
    /// [`OTHER`]: crate::catalog::OTHER
    /// [`LabelValue::VALUES`]: super::LabelValue::VALUES
    pub fn only(mut self, label: &'static str, values: &[&'static str]) -> Self {
        let these = Allowed::these(values.iter().copied());
        self.def.allowed.insert(label.into(), these);
        self
    }

    /// Restricts a label to the first `values` distinct values, for values that others choose:
    /// names of models, types of errors. Each further one is recorded as [`OTHER`] and counted in
    /// `selfheal_label_values_overflowed_total`. The metrics of a [`Group`](super::Group) share the
    /// values of a label. Default: only the limit of the family.
    ///
    /// ```
    /// use selfheal::registry::{Counter, DeclareError, Family, Registry, Text};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let registry = Registry::new();
    /// let calls: Family<Counter, [Text; 1]> = registry
    ///     .counter("calls_total", "Calls")
    ///     .at_most("model", 2)
    ///     .labels(["model"])?;
    /// for model in ["gpt-4", "llama", "made-up-1", "made-up-2", "llama"] {
    ///     calls.inc(&[model]);
    /// }
    /// assert_eq!(calls.with(&["llama"]).get(), 2);
    /// assert_eq!(calls.with(&["other"]).get(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`OTHER`]: crate::catalog::OTHER
    pub fn at_most(mut self, label: &'static str, values: usize) -> Self {
        self.def
            .allowed
            .insert(label.into(), Allowed::First(values));
        self
    }

    /// Declares the metric without labels. Its single series exists immediately, at zero.
    ///
    /// # Errors
    /// A name, unit or bucket breaks a rule, or the name is taken by a different metric. Repeating
    /// the same declaration gives the same metric.
    pub fn build(self) -> Result<M, DeclareError> {
        Ok(self.register()?.with(&()))
    }

    /// Declares the metric with labels; the family's type determines their values. A series exists
    /// from its first lookup on.
    ///
    /// # Errors
    /// As for [`build`](Declare::build), or a label name breaks a rule.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an array of literals reads better without `&`"
    )]
    pub fn labels<K: LabelKey>(mut self, names: K::Names) -> Result<Family<M, K>, DeclareError> {
        self.def.labels = names
            .as_ref()
            .iter()
            .map(|name| Cow::Borrowed(*name))
            .collect();
        for (label, values) in self.def.labels.iter().zip(K::VALUES) {
            // A type that lists all of its values needs no further limit.
            if !values.is_empty() && values.len() < MAX_LISTED {
                let these = Allowed::these(values.iter().copied());
                self.def.allowed.insert(label.clone(), these);
            }
        }
        Ok(Family::new(self.register()?))
    }

    /// Like [`build`](Declare::build), for a static, which cannot return an error: on failure the
    /// metric records nothing, and `selfheal_collectors_skipped_total` counts it.
    ///
    /// ```
    /// use std::sync::LazyLock;
    /// use selfheal::registry::{Counter, Registry};
    ///
    /// static ORDERS: LazyLock<Counter> = LazyLock::new(|| {
    ///     Registry::global().counter("orders_total", "Orders placed").build_or_skip()
    /// });
    ///
    /// ORDERS.inc();
    /// ```
    ///
    /// Such a metric is declared at its first use: install the crate before, as its settings only
    /// apply to later declarations.
    #[must_use]
    pub fn build_or_skip(self) -> M {
        let registry = self.registry;
        let nothing = self.def.clone();
        let core = self.register();
        core.unwrap_or_else(|_| registry.skip(nothing)).with(&())
    }

    /// Like [`labels`](Declare::labels), for a static: on failure the family records nothing; see
    /// [`build_or_skip`](Declare::build_or_skip).
    #[must_use]
    pub fn labels_or_skip<K: LabelKey>(self, names: K::Names) -> Family<M, K> {
        let registry = self.registry;
        let nothing = self.def.clone();
        let family = self.labels(names);
        family.unwrap_or_else(|_| Family::new(registry.skip(nothing)))
    }

    pub(super) fn register(self) -> Result<Arc<Core<M>>, DeclareError> {
        self.registry
            .register::<M>(self.def, self.expire_after, false)
    }
}

impl<T: Tally> Declare<'_, Histogram<T>> {
    /// Sets the upper bounds of the classic buckets, without `+Inf`.
    /// Default: [`DEFAULT_BUCKETS`].
    pub fn buckets(mut self, bounds: &[f64]) -> Self {
        self.def.buckets = bounds.to_vec();
        self
    }

    /// Adds native buckets to the classic ones. Default: none.
    ///
    /// They are exponential and created with the first value in them, so that the range of values
    /// need not be known beforehand. Prometheus ingests them over protobuf, if configured; other
    /// formats show the classic ones.
    ///
    /// ```
    /// use selfheal::catalog::Native;
    /// use selfheal::registry::{DeclareError, Registry};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let registry = Registry::new();
    /// let took = registry
    ///     .histogram("took_seconds", "Time it took")
    ///     .native(Native::growth(1.1))
    ///     .build()?;
    /// took.observe(0.4);
    /// let native = took.snapshot().native.unwrap_or_default();
    /// assert_eq!(native.positive, [(-10, 1)]); // above 2^(-11/8), at most 2^(-10/8)
    /// # Ok(())
    /// # }
    /// ```
    pub fn native(mut self, native: Native) -> Self {
        self.def.native = Some(native);
        self
    }

    /// Uses native buckets instead of classic ones; formats other than protobuf then show only the
    /// count and the sum. Default: classic ones.
    pub fn native_only(self, native: Native) -> Self {
        self.native(native.classic(false))
    }
}

impl<'r> Declare<'r, Counter> {
    /// Gives every thread that can run in parallel its own number in each series, without
    /// contention: 128 bytes each. For counters that many threads update constantly.
    ///
    /// ```
    /// use selfheal::registry::{DeclareError, Registry, StripedCounter};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let registry = Registry::new();
    /// let events: StripedCounter = registry
    ///     .counter("events_total", "Events seen")
    ///     .striped()
    ///     .build()?;
    /// events.inc();
    /// assert_eq!(events.get(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn striped(self) -> Declare<'r, StripedCounter> {
        self.of_type()
    }
}

impl<'r> Declare<'r, Histogram> {
    /// Gives every thread that can run in parallel its own buckets in each series, without
    /// contention; for the memory see [`StripedHistogram`]. For histograms that many threads update
    /// constantly.
    ///
    /// ```
    /// use selfheal::registry::{DeclareError, Registry, StripedHistogram};
    ///
    /// # fn main() -> Result<(), DeclareError> {
    /// let registry = Registry::new();
    /// let took: StripedHistogram = registry
    ///     .histogram("step_duration_seconds", "How long a step takes")
    ///     .buckets(&[0.001, 0.01, 0.1])
    ///     .striped()
    ///     .build()?;
    /// took.observe(0.02);
    /// assert_eq!(took.snapshot().counts, [0, 0, 1, 0]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn striped(self) -> Declare<'r, StripedHistogram> {
        self.of_type()
    }
}

impl Declare<'_, Info> {
    /// Declares the metric with one series: pairs of label name and value, which may be known only
    /// at run time. A value longer than the family's limit is cut, by default at
    /// [`MAX_LABEL_VALUE`](crate::registry::MAX_LABEL_VALUE) bytes.
    ///
    /// Declaring it again with the same names and other values adds a second series.
    ///
    /// # Errors
    /// As for [`labels`](Declare::labels).
    pub fn pairs<'l>(
        mut self,
        pairs: impl IntoIterator<Item = (&'l str, &'l str)>,
    ) -> Result<Info, DeclareError> {
        let (names, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let owned = |name: &str| Cow::Owned(name.to_owned());
        self.def.labels = names.into_iter().map(owned).collect();
        Ok(self.register()?.with(&Values(&values)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{FloatGauge, Text};

    /// The message of a failing declaration.
    fn message<M: Metric>(declare: Declare<'_, M>) -> String {
        declare.build().map(drop).unwrap_err().to_string()
    }

    #[test]
    fn what_breaks_a_rule_is_reported_with_its_name() {
        let registry = Registry::new();
        let histogram = |name| registry.histogram(name, "");
        let counter = |name| -> Declare<'_, Counter> { registry.counter(name, "") };
        let gauge = |name| -> Declare<'_, FloatGauge> { registry.float_gauge(name, "") };
        for (message, culprit, problem) in [
            (message(counter("calls")), "calls", "_total"),
            (message(gauge("heat_total")), "heat_total", "_total"),
            (message(gauge("heat_count")), "heat_count", "_count"),
            (
                message(gauge("heat").unit(Unit::other("celsius"))),
                "heat",
                "its unit",
            ),
            (
                message(counter("celsius_heat_total").unit(Unit::other("celsius"))),
                "celsius_heat_total",
                "its unit",
            ),
            (message(histogram("a").buckets(&[])), "a", "no buckets"),
            (
                message(histogram("b").buckets(&[1.0, 3.0, 2.0])),
                "b",
                "strictly increasing",
            ),
            (
                message(histogram("c").buckets(&[1.0, f64::NAN])),
                "c",
                "finite",
            ),
            (
                message(histogram("d").native(Native::growth(1.0))),
                "d",
                "whose growth is not above 1",
            ),
            (
                message(histogram("e").striped().native(Native::growth(0.5))),
                "e",
                "whose growth is not above 1",
            ),
        ] {
            assert!(message.contains(&format!("{culprit:?}")), "{message}");
            assert!(message.contains(problem), "{message}");
        }
        assert!(registry.own_families().is_empty());
        assert!(
            gauge("heat_celsius")
                .unit(Unit::other("celsius"))
                .build()
                .is_ok()
        );
    }

    #[test]
    fn what_a_static_cannot_declare_records_nothing_and_is_counted() {
        let registry = Registry::new();
        let orders: Counter = registry.counter("orders_total", "").build_or_skip();
        let clash = registry.gauge("orders_total", "").build_or_skip();
        let bad = registry.histogram("took", "").buckets(&[f64::NAN]);
        let bad = bad.labels_or_skip::<(Text,)>(["9 lives"]);
        let native = registry
            .histogram("a", "")
            .native(Native::growth(0.5))
            .build_or_skip();
        orders.inc();
        clash.set(7);
        bad.observe(&("x",), 1.0);
        native.observe(1.0);
        assert_eq!((orders.get(), clash.get(), bad.len()), (1, 0, 0));
        let declared = registry.catalog().into_iter();
        let own: Vec<_> = declared
            .filter(|def| ["orders_total", "took", "a"].contains(&&*def.name))
            .collect();
        assert_eq!(own.len(), 1);
        let skipped = crate::testing::value(&registry, "selfheal_collectors_skipped_total", &[]);
        assert_eq!(skipped, Some(3.0));
    }

    #[test]
    fn labels_that_escaping_makes_one_are_refused() {
        let registry = Registry::new();
        let labels = |labels: [&'static str; 2]| {
            let declare = registry.float_gauge("waiting", "").utf8_names();
            declare
                .labels::<[crate::registry::Text; 2]>(labels)
                .map(drop)
        };
        let clash = labels(["queue.name", "queue_name"])
            .unwrap_err()
            .to_string();
        assert!(clash.contains("escaped"), "{clash}");
        assert_eq!(labels(["queue.name", "queue.size"]), Ok(()));
    }

    #[test]
    fn a_histogram_with_other_native_buckets_is_another() {
        let registry = Registry::new();
        let declare = |native| registry.histogram("a", "").native(native).build();
        assert!(declare(Native::schema(3)).is_ok());
        assert!(declare(Native::growth(1.1)).is_ok());
        let clash = declare(Native::schema(4)).unwrap_err().to_string();
        assert!(clash.contains("native buckets"), "{clash}");
        assert!(registry.histogram("a", "").build().is_err());
    }
}
