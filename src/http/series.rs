use std::sync::{Arc, OnceLock};

use super::labels::{Added, Chosen, OfRequest, OfResponse};
use super::names::{Ended, Name, Naming, Open};
use super::outcome::Outcome;
use super::route::{Protocol, Rules};
use super::sample::{Sample, Tickets};
use crate::exchange::Chain;
use crate::health::TrafficCounter;
use crate::registry::Histogram;
use crate::trace::Source;
use crate::util::Clock;
use crate::util::Verb;

/// What every series of a layer records with.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) names: Vec<Arc<dyn Naming>>,
    pub(super) clock: Clock,
    pub(super) sample: Sample,
    pub(super) rules: Rules,
    pub(super) request_labels: Added<OfRequest>,
    pub(super) response_labels: Added<OfResponse>,
    pub(super) trace: Source,
    pub(super) traffic: Arc<TrafficCounter>,
}

/// What tells the series of one layer apart when a request begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    /// As the classifier has it, before any rule.
    pub(super) route: &'a str,
    pub(super) verb: Verb,
    pub(super) protocol: Protocol,
    pub(super) labels: Chosen,
}

/// One route with one method, and the handles of its series, found without a lock and held,
/// so that recording touches no index of the registry.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) recorder: Arc<Recorder>,
    pub(super) sample: Sample,
    pub(super) tickets: Tickets,
    /// Once there has been a request to record.
    open: OnceLock<Open>,
    /// Whether bodies of unknown size are sessions.
    pub(super) streams: bool,
    route: Box<str>,
    labels: Chosen,
    name: Name,
    ends: Chain<(Outcome, Chosen, Ended)>,
    sessions: OnceLock<Vec<Histogram>>,
}

impl Series {
    /// `seed` need not be secret, only different from series to series.
    pub(super) fn new(recorder: &Arc<Recorder>, key: Key<'_>, seed: u64) -> Self {
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
        let samples = recorder.names.iter().any(|names| names.samples());
        Self {
            recorder: Arc::clone(recorder),
            sample: if samples { sample } else { Sample::NONE },
            tickets: Tickets::new(seed),
            open: OnceLock::new(),
            streams: rule.is_some_and(|rule| rule.session),
            route: key.route.into(),
            labels: key.labels,
            name,
            ends: Chain::new(),
            sessions: OnceLock::new(),
        }
    }

    #[inline]
    pub(super) fn is(&self, key: Key<'_>) -> bool {
        self.name.verb == key.verb
            && self.name.protocol == key.protocol
            && self.labels == key.labels
            && *self.route == *key.route
    }

    /// The handles that a request uses before it ends, if there has been one to record: of a first
    /// request it turns out when it is polled whether it is one.
    #[inline]
    pub(super) fn opened(&self) -> Option<&Open> {
        self.open.get()
    }

    #[inline]
    pub(super) fn open(&self) -> &Open {
        match self.open.get() {
            Some(open) => open,
            None => self.open_now(),
        }
    }

    #[cold]
    fn open_now(&self) -> &Open {
        self.open.get_or_init(|| {
            let mut open = Open::default();
            for names in &self.recorder.names {
                names.open(&self.name, &mut open);
            }
            open
        })
    }

    pub(super) fn verb(&self) -> Verb {
        self.name.verb
    }

    /// The handles for one way to end. There are as many as there are status codes times
    /// values of response labels, at most, and the common ones come first.
    #[inline]
    pub(super) fn ended(&self, outcome: Outcome, labels: Chosen) -> &Ended {
        let (_, _, ended) = self.ends.find_or_add(
            |(known, with, _)| *known == outcome && *with == labels,
            || {
                let values = self.recorder.response_labels.values(labels);
                let mut ended = Ended::default();
                for names in &self.recorder.names {
                    names.end(&self.name, outcome, &values, &mut ended);
                }
                (outcome, labels, ended)
            },
        );
        ended
    }

    /// The lengths of sessions.
    pub(super) fn sessions(&self) -> &[Histogram] {
        self.sessions.get_or_init(|| {
            let names = self.recorder.names.iter();
            names
                .filter_map(|names| names.session(&self.name))
                .collect()
        })
    }

    #[cfg(test)]
    pub(super) fn route(&self) -> &str {
        &self.name.route
    }
}
