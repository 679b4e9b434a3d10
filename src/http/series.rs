use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::labels::{Added, Chosen, OfRequest, OfResponse};
use super::load::Load;
use super::names::{Name, Naming};
use super::protocol::Series;
use super::route::{Protocol, Rules};
use super::sample::{Sample, Tickets};
use crate::exchange::Known;
use crate::health::TrafficCounter;
use crate::registry::{Histogram, OVERFLOW};
use crate::trace::Source;
use crate::util::{Clock, Verb};

/// The limit of remembered keys. A program has a fixed number of routes; the limit protects against
/// a classifier that invents them. Further keys share one route.
const MAX_KEYS: usize = 8_192;

/// The number of hash lists: 32 keys in each at [`MAX_KEYS`], and two kilobytes when empty.
const LISTS: usize = 256;

/// State shared by the series of a layer.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(super) names: Vec<Arc<dyn Naming>>,
    pub(super) clock: Clock,
    pub(super) sample: Sample,
    pub(super) rules: Rules,
    pub(super) request_labels: Added<OfRequest>,
    pub(super) response_labels: Added<OfResponse>,
    pub(super) trace: Source,
    pub(super) traffic: Arc<TrafficCounter>,
    pub(super) load: Option<Load>,
}

/// The labels that are known when a request begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    /// As returned by the classifier, before any rule.
    pub(super) route: &'a str,
    pub(super) verb: Verb,
    pub(super) protocol: Protocol,
    pub(super) labels: Chosen,
}

/// Without the protocol, since few routes are requested by two of them.
impl Hash for Key<'_> {
    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write(self.route.as_bytes());
        hasher.write_u8(self.verb as u8);
        self.labels.hash(hasher);
    }
}

/// State shared by the requests of one route and method.
#[derive(Debug)]
pub(crate) struct Route {
    pub(super) name: Name,
    pub(super) sample: Sample,
    pub(super) tickets: Tickets,
    /// Whether bodies of unknown size are sessions.
    pub(super) streams: bool,
    /// The route before any rule.
    matched: Box<str>,
    labels: Chosen,
}

impl Route {
    /// Creates a route; `seed` must differ from series to series, but is no secret.
    fn new(recorder: &Recorder, key: Key<'_>, seed: usize) -> Self {
        let rule = recorder.rules.of(key.route);
        let label = rule.and_then(|rule| rule.label.as_deref());
        let values = recorder.request_labels.values(key.labels);
        let name = Name {
            verb: key.verb,
            route: label.unwrap_or(key.route).into(),
            protocol: key.protocol,
            labels: values.into_iter().map(Into::into).collect(),
            buckets: rule.and_then(|rule| rule.buckets.clone()),
        };
        let sample = rule.and_then(|rule| rule.sample).unwrap_or(recorder.sample);
        let samples = recorder.load.is_some() || recorder.names.iter().any(|names| names.samples());
        Self {
            sample: if samples { sample } else { Sample::NONE },
            tickets: Tickets::new(seed as u64),
            streams: rule.is_some_and(|rule| rule.session),
            matched: key.route.into(),
            labels: key.labels,
            name,
        }
    }

    #[inline]
    pub(super) fn is(&self, key: Key<'_>) -> bool {
        self.name.verb == key.verb
            && self.name.protocol == key.protocol
            && self.labels == key.labels
            && *self.matched == *key.route
    }

    pub(super) fn verb(&self) -> Verb {
        self.name.verb
    }

    /// The histograms of session lifetimes, which are too rare to keep their handles.
    pub(super) fn sessions(&self, recorder: &Recorder) -> impl Iterator<Item = Histogram> {
        let names = recorder.names.iter();
        names.filter_map(|names| names.session(&self.name))
    }
}

/// All keys seen so far, with their series.
#[derive(Debug)]
pub(super) struct Table(Known<Series, LISTS>);

impl Table {
    pub(super) fn new() -> Self {
        Self(Known::new(MAX_KEYS))
    }

    /// Returns the series of `key`; for a known key without allocation, lock or write to shared
    /// memory.
    #[inline]
    pub(super) fn get(&self, recorder: &Arc<Recorder>, key: Key<'_>) -> &Arc<Series> {
        match self.0.find(key, |series| series.name.is(key)) {
            Some(series) => series,
            None => self.add(recorder, key),
        }
    }

    #[cold]
    fn add(&self, recorder: &Arc<Recorder>, key: Key<'_>) -> &Arc<Series> {
        let is = |key| move |series: &Series| series.name.is(key);
        let make = |key, seed| Series::new(recorder, Route::new(recorder, key, seed));
        // The keys of the shared route beyond the limit are few and not counted.
        let beyond = Key {
            route: OVERFLOW,
            ..key
        };
        let learnt = self.0.learn(key, is(key), |seed| make(key, seed));
        learnt.unwrap_or_else(|| self.0.add(beyond, is(beyond), || make(beyond, MAX_KEYS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::names::{Added, HttpMetrics, HttpNames};
    use crate::http::outcome::{End, Outcome};
    use crate::registry::Registry;

    fn recorder(registry: &Registry) -> Arc<Recorder> {
        let names = HttpNames::Catalog
            .declare(registry, &Added::default(), None)
            .unwrap();
        Arc::new(Recorder {
            names: vec![names],
            clock: Clock::system(),
            sample: Sample::ALL,
            rules: crate::http::route::Rules::default(),
            request_labels: crate::http::labels::Added::default(),
            response_labels: crate::http::labels::Added::default(),
            trace: crate::trace::Source::default(),
            traffic: Arc::default(),
            load: None,
        })
    }

    fn key(route: &str, verb: Verb) -> Key<'_> {
        Key {
            route,
            verb,
            protocol: Protocol::default(),
            labels: Chosen::default(),
        }
    }

    #[test]
    fn a_key_is_the_same_the_second_time_and_keeps_its_handles() {
        let registry = Registry::new();
        let (table, recorder) = (Table::new(), recorder(&registry));
        assert_eq!(registry.series(), 1, "the gauge in flight and nothing else");
        let series = table.get(&recorder, key("/a", Verb::Get));
        assert!(Arc::ptr_eq(
            series,
            table.get(&recorder, key("/a", Verb::Get))
        ));
        assert!(!Arc::ptr_eq(
            series,
            table.get(&recorder, key("/a", Verb::Put))
        ));
        let ok = Outcome {
            sent: 200,
            end: End::Complete,
        };
        let ended = series.ended((ok, Chosen::default()));
        ended.requests[0].inc();
        let again = series.ended((ok, Chosen::default()));
        assert!(std::ptr::eq(&raw const *ended, &raw const *again));
        let metrics = registry.group::<HttpMetrics>().unwrap();
        let counted = metrics.requests.get(&["GET", "/a", "200"]).unwrap();
        assert_eq!(counted.get(), 1);
    }

    #[test]
    fn routes_without_end_share_one() {
        let registry = Registry::new();
        let (table, recorder) = (Table(Known::new(10)), recorder(&registry));
        for n in 0..1_000 {
            let route = format!("/{n}");
            let series = table.get(&recorder, key(&route, Verb::Get));
            let expected = if n < 10 { &route } else { OVERFLOW };
            assert_eq!(&*series.name.name.route, expected);
        }
        let there = table.get(&recorder, key("/3", Verb::Get));
        assert_eq!(&*there.name.name.route, "/3", "still there");
        assert_eq!(table.0.learnt(), 10);
    }
}
