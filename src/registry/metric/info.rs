use super::Metric;
use super::sealed::{Sealed, Shape};
use crate::catalog::Kind;
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
