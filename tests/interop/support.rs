//! Registries of the other crate with anything in them, and lookups.

use prometheus::core::{Collector, Desc};
use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};
use selfheal::interop::from_prometheus;
use selfheal::registry::{FamilySnapshot, Registry, Value};

/// A collector of the other crate that yields what it is given.
pub(crate) struct Fixed {
    desc: Desc,
    families: Vec<MetricFamily>,
}

impl Fixed {
    pub(crate) fn new(families: Vec<MetricFamily>) -> Box<Self> {
        let desc = Desc::new(
            "fixed".to_owned(),
            "h".to_owned(),
            Vec::new(),
            std::collections::HashMap::new(),
        );
        Box::new(Self {
            desc: desc.unwrap(),
            families,
        })
    }
}

impl Collector for Fixed {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }
    fn collect(&self) -> Vec<MetricFamily> {
        self.families.clone()
    }
}

pub(crate) fn family(
    name: &str,
    kind: MetricType,
    metrics: impl IntoIterator<Item = Metric>,
) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help("Help".to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics.into_iter().collect());
    family
}

pub(crate) fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}

/// A registry of ours into which one of theirs with this family is bridged.
pub(crate) fn bridged(family: MetricFamily) -> Registry {
    let (ours, theirs) = (Registry::new(), prometheus::Registry::new());
    theirs.register(Fixed::new(vec![family])).unwrap();
    from_prometheus(&ours, &theirs).unwrap();
    ours
}

pub(crate) fn find(registry: &Registry, name: &str) -> Option<FamilySnapshot> {
    let mut families = registry.gather();
    families.retain(|family| family.def.name == name);
    assert!(families.len() < 2, "{name} occurs twice");
    families.pop()
}

pub(crate) fn value(registry: &Registry, name: &str, labels: &str) -> Option<Value> {
    let series = find(registry, name)?.series;
    let mut found = series.into_iter().filter(|s| &*s.labels == labels);
    let value = found.next()?.value;
    assert!(found.next().is_none(), "{name}{{{labels}}} occurs twice");
    Some(value)
}

pub(crate) fn number(registry: &Registry, name: &str, labels: &str) -> Option<f64> {
    match value(registry, name, labels)? {
        Value::Number(number) => Some(number.as_f64()),
        other => panic!("{name} is not a number: {other:?}"),
    }
}

pub(crate) fn text(registry: &prometheus::Registry) -> String {
    prometheus::TextEncoder::new()
        .encode_to_string(&registry.gather())
        .unwrap()
}
