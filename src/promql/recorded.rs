use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;

use parking_lot::Mutex;

use super::format::plain_float;
use super::histogram::FloatHistogram;
use super::labels::{Label, LabelSet, METRIC_NAME};
use super::source::{Matcher, Queryable, Selection, Sink};
use super::value::{Sample, Series};
use crate::history::{History, Known};
use crate::registry::{HistogramSnapshot, SeriesId, parse_labels};

type Map<K, V> = hashbrown::HashMap<K, V, foldhash::fast::RandomState>;

/// The series of a [`History`] as a server that scrapes this process has them: for a histogram
/// `…_bucket` with its `le`, `…_count` and `…_sum`, native buckets under its own name, and the
/// target's labels on all. A series that was removed and came back is one series.
///
/// ```
/// use selfheal::config::HistorySettings;
/// use selfheal::history::History;
/// use selfheal::promql::{Query, QueryOptions, QueryResult, Recorded};
/// use selfheal::registry::Registry;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::new();
/// let jobs = registry.counter("jobs_total", "Jobs done").build()?;
/// let history = History::new(&registry, HistorySettings::new());
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

/// The series of the history in one state, by name.
#[derive(Debug)]
pub(super) struct Index {
    known: Arc<[Known]>,
    metrics: Map<Arc<str>, Vec<Entry>>,
}

/// A series of queries.
#[derive(Debug)]
struct Entry {
    labels: LabelSet,
    /// The sources of its samples. Each of several began after the previous one had ended.
    lives: Vec<Life>,
}

/// A series of the history, and the part of it that an entry is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) id: SeriesId,
    part: Part,
}

impl Life {
    /// Whether its samples are numbers.
    pub(super) fn is_number(&self) -> bool {
        matches!(self.part, Part::List(..))
    }

    /// The series, the index of its list, and the number of lists.
    pub(super) fn place(&self) -> (SeriesId, usize, usize) {
        let (place, count) = match self.part {
            Part::List(place, count) => (place, count),
            Part::Native => (0, 0),
        };
        (self.id, place, count)
    }

    /// Its list among those of its series, which may have changed since the index was built.
    pub(super) fn list<'l>(&self, lists: &'l [Vec<(i64, f64)>]) -> Option<&'l [(i64, f64)]> {
        let (_, place, count) = self.place();
        let list = lists.get(place).map(Vec::as_slice);
        list.filter(|_| lists.len() == count)
    }
}

impl Index {
    /// The matching series in order, with the sources of their samples.
    pub(super) fn find<'i>(
        &'i self,
        selection: &'i Selection,
    ) -> impl Iterator<Item = (&'i LabelSet, &'i [Life])> {
        let (one, all) = match selection.metric_name() {
            Some(name) => (self.metrics.get(name), None),
            None => (None, Some(self.metrics.values())),
        };
        let lists = one.into_iter().chain(all.into_iter().flatten());
        let entries = lists.flatten();
        let entries = entries.filter(|entry| selection.matches(&entry.labels));
        entries.map(|entry| (&entry.labels, &*entry.lives))
    }
}

/// The part of a history's series that an entry is.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// The index of a list, and the number of lists.
    List(usize, usize),
    /// Its native buckets.
    Native,
}

/// Interns names and values of labels, so that comparisons read few places of memory.
#[derive(Default)]
struct Texts(Map<Arc<str>, ()>);

impl Texts {
    fn one(&mut self, text: &str) -> Arc<str> {
        if let Some((known, ())) = self.0.get_key_value(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = Arc::from(text);
        self.0.insert(Arc::clone(&text), ());
        text
    }
}

impl Recorded {
    /// Creates the series of a history with these labels on each. A conflicting label of a series
    /// is kept as `exported_…`.
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

    /// Returns the history.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The names of the series with values, without duplicates.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        self.index().metrics.keys().cloned().collect()
    }

    /// Returns a check whether there are values of series of a name.
    pub(crate) fn has_names(&self) -> impl Fn(&str) -> bool + use<> {
        let index = self.index();
        move |name| index.metrics.contains_key(name)
    }

    /// The labels of the series with values.
    #[must_use]
    pub fn series(&self) -> Vec<LabelSet> {
        let index = self.index();
        let entries = index.metrics.values().flatten();
        entries.map(|entry| entry.labels.clone()).collect()
    }

    /// The series by name; rebuilt only if the series of the history have changed.
    pub(super) fn index(&self) -> Arc<Index> {
        let known = self.history.known();
        let mut index = self.index.lock();
        match &*index {
            Some(index) if Arc::ptr_eq(&index.known, &known) => Arc::clone(index),
            _ => Arc::clone(index.insert(Arc::new(self.build(known)))),
        }
    }

    fn build(&self, known: Arc<[Known]>) -> Index {
        let mut metrics: Map<Arc<str>, Vec<Entry>> = Map::default();
        let mut places: Map<LabelSet, usize> = Map::default();
        let mut texts = Texts::default();
        for series in &*known {
            let labels = self.labels(series, &mut texts);
            let id = series.id;
            let mut add = |name: Arc<str>, labels: LabelSet, part| {
                let labels = labels.with(METRIC_NAME, Arc::clone(&name));
                let entries = metrics.entry(name).or_default();
                let place = *places.entry(labels.clone()).or_insert(entries.len());
                match entries.get_mut(place) {
                    // A removed series has come back.
                    Some(entry) => entry.lives.push(Life { id, part }),
                    None => entries.push(Entry {
                        labels,
                        lives: vec![Life { id, part }],
                    }),
                }
            };
            if series.native {
                add(Arc::clone(&series.name), labels.clone(), Part::Native);
            }
            let Some(bounds) = &series.bounds else {
                if !series.native {
                    add(Arc::clone(&series.name), labels, Part::List(0, 1));
                }
                continue;
            };
            let parts = bounds.len() + 2;
            let named = |suffix: &str| Arc::from(format!("{}{suffix}", series.name));
            let bucket: Arc<str> = named("_bucket");
            let bounds = bounds.iter().map(|bound| plain_float(*bound));
            for (at, bound) in bounds.chain(["+Inf".to_owned()]).enumerate() {
                let labels = labels.with("le", texts.one(&bound));
                add(Arc::clone(&bucket), labels, Part::List(at, parts));
            }
            let [count, sum] = [parts - 2, parts - 1].map(|at| Part::List(at, parts));
            add(named("_count"), labels.clone(), count);
            add(named("_sum"), labels, sum);
        }
        Index { known, metrics }
    }

    fn labels(&self, series: &Known, texts: &mut Texts) -> LabelSet {
        let own = parse_labels(&series.labels)
            .into_iter()
            .map(|(name, value)| {
                let taken = self.target.iter().any(|(target, _)| **target == *name);
                let name = if taken {
                    format!("exported_{name}")
                } else {
                    name
                };
                (texts.one(&name), texts.one(&value))
            });
        let target = self.target.iter().cloned();
        LabelSet::new(own.chain(target))
    }

    /// Passes the newest samples of series to the sink, read at once. Returns `None` without a call
    /// if other samples are needed.
    fn newest<'e>(
        &self,
        entries: impl Iterator<Item = &'e Entry> + Clone,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Option<ControlFlow<()>> {
        let mut wanted = Vec::new();
        for entry in entries.clone() {
            match &*entry.lives {
                [life] if life.is_number() => wanted.push(life.place()),
                _ => return None,
            }
        }
        let mut points = Vec::with_capacity(wanted.len());
        let range = range(selection);
        if !self
            .history
            .newest_each(wanted.into_iter(), range, &mut points)
        {
            return None;
        }
        for (entry, (time, value)) in entries.zip(points) {
            if time < range.0 {
                continue;
            }
            let value = value.into();
            let series = Series {
                labels: entry.labels.clone(),
                samples: vec![Sample { time, value }],
            };
            if sink(series).is_break() {
                return Some(ControlFlow::Break(()));
            }
        }
        Some(ControlFlow::Continue(()))
    }

    /// Passes the series of one name to the sink.
    fn read(&self, entries: &[Entry], selection: &Selection, sink: Sink<'_>) -> ControlFlow<()> {
        // Entries have one name, which the matchers allow.
        let name = entries.first().and_then(|entry| entry.labels.name());
        let is_met = |matcher: &Matcher| match (matcher.name(), name) {
            (METRIC_NAME, Some(name)) => matcher.matches(name),
            _ => false,
        };
        let matchers = selection.matchers.iter();
        let others: Vec<&Matcher> = matchers.filter(|matcher| !is_met(matcher)).collect();
        let is_chosen = |labels: &LabelSet| others.iter().all(|matcher| matcher.is_met(labels));
        let entries = entries.iter().filter(|entry| is_chosen(&entry.labels));
        if selection.newest_only
            && let Some(flow) = self.newest(entries.clone(), selection, sink)
        {
            return flow;
        }
        let mut reader = Reader::new(&self.history, selection);
        for entry in entries {
            let samples = reader.samples(entry);
            if !samples.is_empty() {
                let labels = entry.labels.clone();
                sink(Series { labels, samples })?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// The range of a selection, inclusive.
fn range(selection: &Selection) -> (i64, i64) {
    (selection.after.saturating_add(1), selection.until)
}

/// Reads samples of one selection.
struct Reader<'a> {
    history: &'a History,
    /// The first and the last time.
    range: (i64, i64),
    newest_only: bool,
    /// The last series read: entries of one histogram are consecutive.
    known: Option<SeriesId>,
    lists: Vec<Vec<(i64, f64)>>,
    newest: Vec<(i64, f64)>,
}

impl<'a> Reader<'a> {
    fn new(history: &'a History, selection: &Selection) -> Self {
        Self {
            history,
            range: range(selection),
            newest_only: selection.newest_only,
            known: None,
            lists: Vec::new(),
            newest: Vec::new(),
        }
    }

    fn samples(&mut self, entry: &Entry) -> Vec<Sample> {
        if let [life] = &*entry.lives {
            return self.life(life);
        }
        let lives = entry.lives.iter().map(|life| self.life(life));
        let mut lives: Vec<_> = lives.filter(|samples| !samples.is_empty()).collect();
        lives.sort_by_key(|samples| samples.first().map(|sample| sample.time));
        let mut all: Vec<Sample> = Vec::new();
        for life in lives {
            // A stale marker is dropped if the series came back before the next tick.
            let first = life.first().map_or(i64::MAX, |sample| sample.time);
            let before = all.partition_point(|sample| sample.time < first);
            all.truncate(before);
            all.extend(life);
        }
        if self.newest_only {
            all.drain(..all.len().saturating_sub(1));
        }
        all
    }

    fn life(&mut self, life: &Life) -> Vec<Sample> {
        let (id, place, count) = life.place();
        if !life.is_number() {
            return self.native(id);
        }
        if self.known != Some(id) {
            self.known = Some(id);
            if self.newest_only {
                self.history.newest(id, self.range, &mut self.newest);
            } else {
                self.lists = self.history.read(id, self.range);
            }
        }
        // The history may have changed since the index was built.
        let values = if self.newest_only {
            let newest = self.newest.get(place..=place);
            newest.filter(|_| self.newest.len() == count)
        } else {
            life.list(&self.lists)
        };
        let values = values.unwrap_or_default().iter();
        let sample = |(time, value): &(i64, f64)| Sample {
            time: *time,
            value: (*value).into(),
        };
        values.map(sample).collect()
    }

    fn native(&self, id: SeriesId) -> Vec<Sample> {
        let sample = |(time, histogram): (i64, HistogramSnapshot)| Sample {
            time,
            value: FloatHistogram::of(histogram).into(),
        };
        if self.newest_only {
            let newest = self.history.newest_native(id, self.range);
            return newest.into_iter().map(sample).collect();
        }
        let all = self.history.read_native(id, self.range).into_iter();
        all.map(sample).collect()
    }
}

impl FloatHistogram {
    /// Converts the native buckets of a registry's histogram.
    fn of(histogram: HistogramSnapshot) -> Self {
        let native = histogram.native.unwrap_or_default();
        let floats = |buckets: Vec<(i32, u64)>| {
            let buckets = buckets.into_iter();
            buckets
                .map(|(index, count)| (index, count as f64))
                .collect()
        };
        Self {
            schema: native.schema.into(),
            zero_threshold: native.zero_threshold,
            zero_count: native.zero_count as f64,
            count: native.count() as f64,
            sum: histogram.sum,
            positive: floats(native.positive),
            negative: floats(native.negative),
            ..Self::default()
        }
    }
}

impl Queryable for Recorded {
    fn as_recorded(&self) -> Option<&Recorded> {
        Some(self)
    }

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
