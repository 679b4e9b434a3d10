//! The history of a registry as series that queries read.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::history::{History, Known};
use crate::promql::{
    Label, LabelSet, METRIC_NAME, PointValue, Queryable, Sample, Selection, Series, Sink,
};
use crate::registry::{Registry, SeriesId};

/// The series of a [`History`] with the labels that a server gives to those of a target: `job`,
/// `instance` and others. A label of that name that a series has itself is called
/// `exported_job`, as at a server. A histogram is the series `…_bucket`, `…_sum` and `…_count`.
#[derive(Clone)]
pub struct HistorySource {
    inner: Arc<Inner>,
}

struct Inner {
    history: History,
    registry: Registry,
    target: LabelSet,
    index: Mutex<Option<Arc<Index>>>,
}

/// Which series there are, by their names; built anew when that has changed.
struct Index {
    known: Arc<[Known]>,
    by_name: HashMap<Arc<str>, Vec<Entry>>,
}

/// The series of one name that are read together.
struct Entry {
    id: SeriesId,
    /// The labels, and which of the lists that the history gives it is.
    columns: Vec<(LabelSet, usize)>,
}

impl HistorySource {
    /// The series of a history of `registry`, with these labels of its target.
    #[must_use]
    pub fn new(history: &History, registry: &Registry, target: LabelSet) -> Self {
        Self {
            inner: Arc::new(Inner {
                history: history.clone(),
                registry: registry.clone(),
                target,
                index: Mutex::default(),
            }),
        }
    }

    /// The names of the series that there are values of.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        self.index().by_name.keys().cloned().collect()
    }

    fn index(&self) -> Arc<Index> {
        let known = self.inner.history.known();
        let cached = self.inner.index.lock().clone();
        if let Some(index) = cached.filter(|index| Arc::ptr_eq(&index.known, &known)) {
            return index;
        }
        let settings = self.inner.registry.settings();
        let global = settings.global_labels.iter();
        let common: Vec<Label> = global
            .map(|(name, value)| (Arc::from(name.as_str()), Arc::from(value.as_str())))
            .collect();
        let index = Arc::new(Index::new(known, &self.inner.target, &common));
        *self.inner.index.lock() = Some(Arc::clone(&index));
        index
    }
}

impl Index {
    fn new(known: Arc<[Known]>, target: &LabelSet, common: &[Label]) -> Self {
        let mut by_name: HashMap<Arc<str>, Vec<Entry>> = HashMap::new();
        let mut add = |name: &str, id, columns: Vec<(Vec<Label>, usize)>| {
            let columns = columns.into_iter().map(|(labels, column)| {
                let name = (Arc::from(METRIC_NAME), Arc::from(name));
                (LabelSet::new(labels.into_iter().chain([name])), column)
            });
            let columns = columns.collect();
            if !by_name.contains_key(name) {
                by_name.insert(Arc::from(name), Vec::new());
            }
            if let Some(entries) = by_name.get_mut(name) {
                entries.push(Entry { id, columns });
            }
        };
        for series in known.iter() {
            let mut labels = common.to_vec();
            labels.extend(parse(&series.labels));
            for (name, _) in &mut labels {
                if target.get(name).is_some() {
                    *name = format!("exported_{name}").into();
                }
            }
            let of_target = target.iter();
            labels.extend(of_target.map(|(name, value)| (Arc::from(name), Arc::from(value))));
            let Some(bounds) = &series.bounds else {
                add(&series.name, series.id, vec![(labels, 0)]);
                continue;
            };
            let with_bound = |bound: &str| {
                let mut labels = labels.clone();
                labels.push((Arc::from("le"), Arc::from(bound)));
                labels
            };
            let buckets = bounds.iter().map(|bound| with_bound(&shown(*bound)));
            let buckets = buckets.chain([with_bound("+Inf")]);
            let buckets = buckets.zip(0..).collect();
            let (name, all) = (&series.name, bounds.len());
            add(&format!("{name}_bucket"), series.id, buckets);
            add(
                &format!("{name}_count"),
                series.id,
                vec![(labels.clone(), all)],
            );
            add(&format!("{name}_sum"), series.id, vec![(labels, all + 1)]);
        }
        Self { known, by_name }
    }
}

impl Queryable for HistorySource {
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let index = self.index();
        let lists: Vec<&Vec<Entry>> = match selection.metric_name() {
            Some(name) => index.by_name.get(name).into_iter().collect(),
            None => index.by_name.values().collect(),
        };
        let span = (selection.after.saturating_add(1), selection.until);
        for entry in lists.into_iter().flatten() {
            let columns = entry.columns.iter();
            let mut wanted = columns
                .filter(|(labels, _)| selection.matches(labels))
                .peekable();
            if wanted.peek().is_none() {
                continue;
            }
            let read = self.inner.history.read(entry.id, span);
            for (labels, column) in wanted {
                let values = read.get(*column).map_or(&[][..], Vec::as_slice);
                let newest = values.len().saturating_sub(1);
                let values = if selection.newest_only {
                    &values[newest..]
                } else {
                    values
                };
                if values.is_empty() {
                    continue;
                }
                let samples = values.iter().map(|(time, value)| Sample {
                    time: *time,
                    value: PointValue::Float(*value),
                });
                let series = Series {
                    labels: labels.clone(),
                    samples: samples.collect(),
                };
                if sink(series).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for HistorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistorySource")
            .field("target", &self.inner.target)
            .finish_non_exhaustive()
    }
}

/// The bound of a bucket as Prometheus 3 writes it in `le`: with a point.
fn shown(bound: f64) -> String {
    let text = bound.to_string();
    if text.contains('.') || !bound.is_finite() {
        text
    } else {
        text + ".0"
    }
}

/// Labels as they are rendered: `a="b",c="d"`, with `\\`, `\"` and `\n` escaped.
fn parse(rendered: &str) -> Vec<Label> {
    let mut labels = Vec::new();
    let mut rest = rendered;
    while let Some((name, after)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut chars = after.char_indices();
        let mut end = after.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, c)) => value.push(c),
                    None => {}
                },
                c => value.push(c),
            }
        }
        let name = name.trim_start_matches(',').trim_matches('"');
        labels.push((Arc::from(name), Arc::from(value)));
        rest = &after[end..];
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Settings;
    use crate::promql::{Query, QueryOptions, QueryResult};
    use crate::registry::{Counter, Family, Histogram, Text};

    #[test]
    fn series_are_read_as_a_server_would_have_scraped_them() {
        let registry = Registry::new();
        registry.configure(crate::registry::Settings {
            global_labels: [("zone".to_owned(), "a".to_owned())].into(),
            ..Default::default()
        });
        let jobs: Family<Counter, [Text; 2]> = registry
            .counter("jobs_total", "")
            .labels(["job", "queue"])
            .unwrap();
        jobs.inc(&["x", "say \"hi\"\\\n"]);
        let took: Family<Histogram, [Text; 1]> = registry
            .histogram("took_seconds", "")
            .buckets(&[0.5, 1.0])
            .labels(["path"])
            .unwrap();
        took.observe(&["/"], 0.7);
        let history = History::new(&registry, Settings::default());
        history.tick(1_000);
        took.observe(&["/"], 0.1);
        history.tick(2_000);
        let source = HistorySource::new(&history, &registry, LabelSet::new([("job", "shop")]));
        let query = |text: &str, time: i64| {
            let query = Query::parse(text).unwrap();
            let answer = query.instant(&source, time, &QueryOptions::default());
            let QueryResult::Vector(found) = answer.unwrap().result else {
                panic!("{text} is no vector");
            };
            let shown = found.iter().map(|sample| {
                let value = sample.value.as_float().unwrap();
                format!("{} {value}", sample.labels)
            });
            let mut shown: Vec<_> = shown.collect();
            shown.sort();
            shown
        };
        assert_eq!(
            query("jobs_total", 2_000),
            [r#"jobs_total{exported_job="x", job="shop", queue="say \"hi\"\\\n", zone="a"} 1"#]
        );
        let bucket = |le: &str, count: u32| {
            format!(r#"took_seconds_bucket{{job="shop", le="{le}", path="/", zone="a"}} {count}"#)
        };
        assert_eq!(
            query("took_seconds_bucket", 2_000),
            [bucket("+Inf", 2), bucket("0.5", 1), bucket("1.0", 2)]
        );
        assert_eq!(query("sum(took_seconds_count)", 1_500), ["{} 1"]);
        assert_eq!(query("took_seconds_sum * 10", 1_000).len(), 1);
        assert_eq!(query("jobs_total", 999), [""; 0]);
        assert_eq!(source.names().len(), 4);
    }
}
