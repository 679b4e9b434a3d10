use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;

use parking_lot::Mutex;

use super::format::plain_float;
use super::labels::{Label, LabelSet, METRIC_NAME};
use super::source::{Queryable, Selection, Sink};
use super::value::{Sample, Series};
use crate::history::{History, Known};
use crate::registry::{SeriesId, parse_labels};

type Map<K, V> = hashbrown::HashMap<K, V, foldhash::fast::RandomState>;

/// The series of a [`History`] as a server has them that scrapes this process: of a histogram
/// `…_bucket` with its `le`, `…_count` and `…_sum`, and the labels of the target on all.
///
/// ```
/// use selfheal::history::{History, Settings};
/// use selfheal::promql::{Query, QueryOptions, QueryResult, Recorded};
/// use selfheal::registry::Registry;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::new();
/// let jobs = registry.counter("jobs_total", "Jobs done").build()?;
/// let history = History::new(&registry, Settings::default());
/// for second in 0..60 {
///     jobs.add(2);
///     history.tick(second * 1_000);
/// }
/// let recorded = Recorded::new(&history, [("job", "shop")]);
/// let query = Query::parse(r#"rate(jobs_total{job="shop"}[1m])"#)?;
/// let answer = query.instant(&recorded, 59_000, &QueryOptions::default())?;
/// let QueryResult::Vector(vector) = answer.result else { panic!("rates are vectors") };
/// assert_eq!(vector[0].value.as_float(), Some(2.0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Recorded {
    history: History,
    target: Vec<Label>,
    index: Mutex<Option<Arc<Index>>>,
}

/// The series of one state of the history, by name.
#[derive(Debug)]
struct Index {
    known: Arc<[Known]>,
    metrics: Map<Arc<str>, Vec<Entry>>,
}

/// A series that an expression can name.
#[derive(Debug)]
struct Entry {
    id: SeriesId,
    labels: LabelSet,
    /// Its place among the numbers of a histogram, of how many; `None` for a number.
    part: Option<(usize, usize)>,
}

impl Recorded {
    /// The series of a history, each with these labels too. A label that a series has itself is
    /// kept, as `exported_…` beside that of the target.
    pub fn new<N: Into<Arc<str>>, V: Into<Arc<str>>>(
        history: &History,
        target: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let target = target.into_iter();
        Self {
            history: history.clone(),
            target: target
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            index: Mutex::new(None),
        }
    }

    /// The history.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The labels of every series that there are values of.
    #[must_use]
    pub fn series(&self) -> Vec<LabelSet> {
        let index = self.index();
        let entries = index.metrics.values().flatten();
        entries.map(|entry| entry.labels.clone()).collect()
    }

    /// The series by name, built anew only where the history has others than before.
    fn index(&self) -> Arc<Index> {
        let known = self.history.known();
        let mut index = self.index.lock();
        match &*index {
            Some(index) if Arc::ptr_eq(&index.known, &known) => Arc::clone(index),
            _ => Arc::clone(index.insert(Arc::new(self.build(known)))),
        }
    }

    fn build(&self, known: Arc<[Known]>) -> Index {
        let mut metrics: Map<Arc<str>, Vec<Entry>> = Map::default();
        for series in &*known {
            let labels = self.labels(series);
            let id = series.id;
            let mut add = |name: Arc<str>, labels: LabelSet, part| {
                let labels = labels.with(METRIC_NAME, Arc::clone(&name));
                metrics
                    .entry(name)
                    .or_default()
                    .push(Entry { id, labels, part });
            };
            let Some(bounds) = &series.bounds else {
                add(Arc::clone(&series.name), labels, None);
                continue;
            };
            let parts = bounds.len() + 2;
            let named = |suffix: &str| Arc::from(format!("{}{suffix}", series.name));
            let bucket: Arc<str> = named("_bucket");
            let texts = bounds.iter().map(|bound| plain_float(*bound));
            for (at, bound) in texts.chain(["+Inf".to_owned()]).enumerate() {
                let labels = labels.with("le", bound);
                add(Arc::clone(&bucket), labels, Some((at, parts)));
            }
            add(named("_count"), labels.clone(), Some((parts - 2, parts)));
            add(named("_sum"), labels, Some((parts - 1, parts)));
        }
        Index { known, metrics }
    }

    fn labels(&self, series: &Known) -> LabelSet {
        let own = parse_labels(&series.labels)
            .into_iter()
            .map(|(name, value)| {
                let taken = self.target.iter().any(|(target, _)| **target == *name);
                let name = if taken {
                    format!("exported_{name}")
                } else {
                    name
                };
                (Arc::from(name), Arc::from(value))
            });
        let target = self.target.iter().cloned();
        LabelSet::new(own.chain(target))
    }

    /// Gives the series of one name to the sink.
    fn read(&self, entries: &[Entry], selection: &Selection, sink: Sink<'_>) -> ControlFlow<()> {
        let range = (selection.after.saturating_add(1), selection.until);
        // Entries of one histogram come one after another: it is read once.
        let (mut known, mut parts, mut newest) = (None, Vec::new(), Vec::new());
        for entry in entries {
            if !selection.matches(&entry.labels) {
                continue;
            }
            if known != Some(entry.id) {
                known = Some(entry.id);
                if selection.newest_only {
                    self.history.newest(entry.id, range, &mut newest);
                } else {
                    parts = self.history.read(entry.id, range);
                }
            }
            // The history may have changed since the index was made.
            let (place, count) = entry.part.unwrap_or((0, 1));
            let values = if selection.newest_only {
                newest.get(place..=place).filter(|_| newest.len() == count)
            } else {
                parts
                    .get(place)
                    .map(Vec::as_slice)
                    .filter(|_| parts.len() == count)
            };
            let values = values.unwrap_or_default().iter();
            let samples: Vec<Sample> = values
                .map(|(time, value)| Sample {
                    time: *time,
                    value: (*value).into(),
                })
                .collect();
            if !samples.is_empty() {
                let labels = entry.labels.clone();
                sink(Series { labels, samples })?;
            }
        }
        ControlFlow::Continue(())
    }
}

impl Queryable for Recorded {
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let index = self.index();
        let _ = match selection.metric_name() {
            Some(name) => match index.metrics.get(name) {
                Some(entries) => self.read(entries, selection, sink),
                None => ControlFlow::Continue(()),
            },
            None => index
                .metrics
                .values()
                .try_for_each(|entries| self.read(entries, selection, sink)),
        };
        Ok(())
    }
}
