use std::borrow::Cow;

use super::{Allowed, Kind, MetricDef, Unit};

type Text = Cow<'static, str>;

/// Another name under which a metric is exposed, for dashboards and rules that know it by that
/// name.
///
/// It is a line in the declaration of the metric (`Declare::alias`, [`MetricDef::alias`]) and
/// belongs to a *profile*, the word that switches it on. Nothing is recorded for it: at each
/// scrape it is written from the values of its metric.
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
    /// The profile that switches it on.
    pub profile: Text,
    /// The name, without namespace. It need not end as the names of its kind do.
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
    /// A label has another name.
    Rename(Text, Text),
    /// A label is left out; series that become one are added up.
    Without(Text),
    /// A label of this name and value is added.
    With(Text, Text),
    /// A label of this name is added whose value names this instance of the service; see
    /// `Settings::instance`.
    Instance(Text),
}

impl Alias {
    /// An alias that differs in its name alone.
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

    /// Gives a label another name.
    #[must_use]
    pub fn rename(self, from: impl Into<Text>, to: impl Into<Text>) -> Self {
        self.relabel(Relabel::Rename(from.into(), to.into()))
    }

    /// Leaves a label out; series that become one are added up.
    #[must_use]
    pub fn without(self, label: impl Into<Text>) -> Self {
        self.relabel(Relabel::Without(label.into()))
    }

    /// Adds a label with this value.
    #[must_use]
    pub fn with(self, label: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.relabel(Relabel::With(label.into(), value.into()))
    }

    /// Adds a label whose value names this instance of the service.
    #[must_use]
    pub fn with_instance(self, label: impl Into<Text>) -> Self {
        self.relabel(Relabel::Instance(label.into()))
    }

    /// Multiplies the values, where the old name has another unit. Default: 1.
    #[must_use]
    pub fn scaled(mut self, by: f64) -> Self {
        self.scale = by;
        self
    }

    /// Sets the upper bounds of a histogram's buckets, `+Inf` not among them, in the unit of the
    /// alias. While the profile is on, the metric has these bounds beside its own, so that the
    /// counts are exact. Default: those of the metric.
    #[must_use]
    pub fn buckets(mut self, bounds: &[f64]) -> Self {
        self.buckets = bounds.to_vec();
        self
    }

    fn relabel(mut self, relabel: Relabel) -> Self {
        self.labels.push(relabel);
        self
    }

    /// The labels that a series has under this name, from those that it has in its metric.
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

    /// What the alias of a metric is, under its full name.
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

    /// Whether its values or buckets are others than those of its metric.
    pub(crate) fn is_reshaped(&self) -> bool {
        (self.scale - 1.0).abs() > f64::EPSILON || !self.buckets.is_empty()
    }
}
