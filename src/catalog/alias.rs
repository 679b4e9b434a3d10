use std::borrow::Cow;

use super::{Allowed, Kind, MetricDef, Unit};

type Text = Cow<'static, str>;

/// Another name under which a metric is exposed, for dashboards and rules that use that name.
///
/// It is part of the metric's declaration (`Declare::alias`, [`MetricDef::alias`]) and belongs to a
/// *profile*, which enables it by name. Nothing is recorded for it: each scrape writes it from the
/// values of its metric.
///
/// ```
/// use selfheal::catalog::Alias;
/// use selfheal::registry::{Counter, DeclareError, Family, Profile, Registry, Settings, Text};
///
/// # fn main() -> Result<(), DeclareError> {
/// let mut settings = Settings::default();
/// settings.profiles.push(Profile::new("old_shop"));
/// let registry = Registry::with_settings(settings);
/// let orders: Family<Counter, [Text; 2]> = registry
///     .counter("orders_total", "Orders")
///     .alias(Alias::new("old_shop", "purchases_total").rename("payment", "paid_by").without("shop"))
///     .labels(["shop", "payment"])?;
/// orders.inc(&["north", "card"]);
/// orders.inc(&["south", "card"]);
/// selfheal::testing::assert_value(&registry, "purchases_total", &[("paid_by", "card")], 2.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Alias {
    /// The profile that enables it.
    pub profile: Text,
    /// The name, without namespace. The suffix rules of its kind do not apply.
    pub name: Text,
    /// The changes of its labels. Default: none.
    pub labels: Vec<Relabel>,
    /// The factor of its values. Default: 1.
    pub scale: f64,
    /// The upper bounds of a histogram's buckets, in the unit of the alias. Default: those of
    /// the metric.
    pub buckets: Vec<f64>,
}

/// A change of the labels of an [`Alias`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Relabel {
    /// Renames a label.
    Rename(Text, Text),
    /// Drops a label; series that become equal are summed.
    Without(Text),
    /// Adds a label with this name and value.
    With(Text, Text),
    /// Adds a label with this name whose value is the name of this service instance; see
    /// `Settings::instance`.
    Instance(Text),
}

impl Alias {
    /// An alias that differs only in its name.
    #[must_use]
    pub fn new(profile: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self {
            profile: profile.into(),
            name: name.into(),
            labels: Vec::new(),
            scale: 1.0,
            buckets: Vec::new(),
        }
    }

    /// Renames a label.
    #[must_use]
    pub fn rename(self, from: impl Into<Text>, to: impl Into<Text>) -> Self {
        self.relabel(Relabel::Rename(from.into(), to.into()))
    }

    /// Drops a label; series that become equal are summed.
    #[must_use]
    pub fn without(self, label: impl Into<Text>) -> Self {
        self.relabel(Relabel::Without(label.into()))
    }

    /// Adds a label with this value.
    #[must_use]
    pub fn with(self, label: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.relabel(Relabel::With(label.into(), value.into()))
    }

    /// Adds a label whose value is the name of this service instance.
    #[must_use]
    pub fn with_instance(self, label: impl Into<Text>) -> Self {
        self.relabel(Relabel::Instance(label.into()))
    }

    /// Multiplies the values, if the old name has another unit. Default: 1.
    #[must_use]
    pub fn scaled(mut self, by: f64) -> Self {
        self.scale = by;
        self
    }

    /// Sets the upper bounds of a histogram's buckets, without `+Inf`, in the unit of the alias.
    /// While the profile is enabled, the metric has these bounds in addition to its own, so that
    /// the counts are exact. Default: those of the metric.
    #[must_use]
    pub fn buckets(mut self, bounds: &[f64]) -> Self {
        self.buckets = bounds.to_vec();
        self
    }

    fn relabel(mut self, relabel: Relabel) -> Self {
        self.labels.push(relabel);
        self
    }

    /// The labels of a series under this name, from those of its metric.
    pub(crate) fn labels_of<'a>(
        &'a self,
        labels: impl IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
        instance: &'a str,
    ) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        let mut out: Vec<_> = labels.into_iter().collect();
        for relabel in &self.labels {
            match relabel {
                Relabel::Rename(from, to) => {
                    let there = out.iter_mut().filter(|(name, _)| name == from);
                    there.for_each(|(name, _)| *name = Cow::Borrowed(&**to));
                }
                Relabel::Without(label) => out.retain(|(name, _)| name != label),
                Relabel::With(label, value) => {
                    out.push((Cow::Borrowed(&**label), Cow::Borrowed(&**value)));
                }
                Relabel::Instance(label) => {
                    out.push((Cow::Borrowed(&**label), Cow::Borrowed(instance)));
                }
            }
        }
        out
    }

    /// The definition of a metric's alias, under its full name.
    pub(crate) fn definition(&self, of: &MetricDef, name: String) -> MetricDef {
        let labels = of.labels.iter().map(|name| (name.clone(), Cow::default()));
        let labels = self.labels_of(labels, "");
        let labels = labels.into_iter().map(|(name, _)| name.into_owned());
        let mut def = of.clone();
        def.unit = Unit::of_name(&name).filter(|_| of.kind != Kind::Info);
        def.name = Cow::Owned(name);
        def.help = Cow::Owned(format!("{} (alias of {})", of.help, of.name));
        def.labels = labels.map(Cow::Owned).collect();
        def.namespaced = false;
        def.aliases.clear();
        for relabel in &self.labels {
            match relabel {
                Relabel::Rename(from, to) => {
                    if let Some(allowed) = def.allowed.remove(from) {
                        def.allowed.insert(to.clone(), allowed);
                    }
                }
                Relabel::Without(label) => drop(def.allowed.remove(label)),
                Relabel::With(label, value) => {
                    let these = Allowed::These(vec![value.clone()]);
                    def.allowed.insert(label.clone(), these);
                }
                Relabel::Instance(_) => {}
            }
        }
        if self.is_reshaped() {
            def.native = None;
            def.buckets
                .iter_mut()
                .for_each(|bound| *bound *= self.scale);
        }
        if !self.buckets.is_empty() {
            def.buckets.clone_from(&self.buckets);
        }
        def
    }

    /// Whether its values or buckets differ from those of its metric.
    pub(crate) fn is_reshaped(&self) -> bool {
        (self.scale - 1.0).abs() > f64::EPSILON || !self.buckets.is_empty()
    }
}
