use std::borrow::Cow;

use super::Metric;
use super::sealed::{Sealed, Shape};
use crate::catalog::Kind;
use crate::registry::declare::Declare;
use crate::registry::dynamic::Values;
use crate::registry::error::DeclareError;
use crate::registry::snapshot::{Number, Sample, Scratch, ValueRef};
use crate::registry::storage::Place;

/// Text about the service, as the labels of a series whose value is always 1: its build, its loaded
/// model. Its name ends in `_info`.
///
/// The series exists as soon as it is declared; there is nothing to record. For text that changes
/// use a family: [`with`](crate::registry::Family::with) adds it,
/// [`remove`](crate::registry::Family::remove) removes it.
///
/// ```
/// use selfheal::registry::{DeclareError, Family, Info, Registry, Text};
///
/// # fn main() -> Result<(), DeclareError> {
/// let registry = Registry::new();
/// registry
///     .info("app_info", "What this is")
///     .pairs([("edition", "community"), ("region", "eu-west-1")])?;
///
/// let models: Family<Info, [Text; 2]> = registry
///     .info("model_info", "Models that are loaded")
///     .labels(["name", "version"])?;
/// models.with(&["ranker", "7"]);
/// models.with(&["ranker", "8"]);
/// models.remove(&["ranker", "7"]);
/// assert_eq!(models.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Info {
    _place: Place<()>,
}

impl Metric for Info {}

impl Sealed for Info {
    type Cell = ();
    const KIND: Kind = Kind::Info;

    fn cell(_: &Shape) {}

    fn handle(place: Place<()>, _: &Shape) -> Self {
        Self { _place: place }
    }

    fn read<'a>((): &'a (), _: &'a mut Scratch) -> Sample<'a> {
        Sample::new(ValueRef::Number(Number::U64(1)))
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
