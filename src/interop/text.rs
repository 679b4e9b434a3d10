use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::convert::{self, Family};
use super::from::{Bridge, skipped};
use crate::catalog::Kind;
use crate::registry::{DeclareError, FamilySnapshot, Number, Registry, Value};
use crate::util::{SampleLine, escape, head_line};

/// Exposes what another library renders in a text format of Prometheus, together with the metrics
/// of `into`: the crates `metrics-exporter-prometheus` and `axum-prometheus`, whose handle has
/// `render`, `prometheus-client`, or another version of the crate `prometheus`.
///
/// ```
/// use selfheal::interop;
/// use selfheal::registry::Registry;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ours = Registry::new();
/// // Of `metrics-exporter-prometheus`: `move || handle.render()`.
/// interop::from_text(&ours, || "# TYPE hits counter\nhits{route=\"/\"} 3\n".to_owned())?;
/// assert_eq!(ours.gather()[0].def.name, "hits");
/// # Ok(())
/// # }
/// ```
///
/// `render` is called now and at every scrape, on the scraping thread, and is a
/// [collector](crate::registry::Collector): it must not block. Names, labels and values are
/// unchanged, as in [`from_prometheus`](super::from_prometheus). Time stamps, exemplars and created
/// times are dropped. An info metric or a state set becomes a gauge, and a sample without a `TYPE`
/// is of unknown kind. Lines that are not in the format and series that cannot be exposed are
/// dropped and counted, at every scrape, in `selfheal_prometheus_skipped_total`.
///
/// # Errors
/// [`DeclareError::Clash`] if the text and `into` have a metric of one name with different kinds; a
/// later clash as in [`from_prometheus`](super::from_prometheus).
pub fn from_text(
    into: &Registry,
    render: impl Fn() -> String + Send + Sync + 'static,
) -> Result<(), DeclareError> {
    let skipped = skipped(into)?;
    let first = {
        // While `into` counts as collecting, it renders nothing of its own.
        let _collecting = into.enter_collecting();
        catch_unwind(AssertUnwindSafe(&render)).unwrap_or_default()
    };
    let read = move |skipped: &mut u64| Page::read(&render(), skipped);
    into.collect_from(Bridge::shared(Page::read(&first, &mut 0), read, skipped))
}

/// The `HELP` and `TYPE` of a metric.
#[derive(Clone, Copy, Default)]
struct Head<'a> {
    kind: &'a str,
    help: &'a str,
}

impl Head<'_> {
    fn kind(&self) -> Kind {
        match self.kind {
            "counter" => Kind::Counter,
            "gauge" | "info" | "stateset" => Kind::Gauge,
            "histogram" => Kind::Histogram,
            "summary" => Kind::Summary,
            _ => Kind::Unknown,
        }
    }

    /// The ends of the names of its samples.
    fn ends(&self) -> &[&str] {
        match self.kind {
            "counter" => &["", "_total", "_created"],
            "info" => &["_info"],
            "histogram" => &["_bucket", "_sum", "_count", "_created"],
            "summary" => &["", "_sum", "_count", "_created"],
            _ => &[""],
        }
    }
}

type Labels<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// A page while it is read.
#[derive(Default)]
struct Page<'a> {
    heads: HashMap<&'a str, Head<'a>>,
    /// The metric of the lines that follow.
    current: &'a str,
    /// In the order of the page; `None` if it cannot be exposed.
    families: Vec<Option<Family>>,
    known: HashMap<&'a str, usize>,
    /// The samples of histograms and summaries, by the place of the family and the labels.
    parts: Vec<Parts<'a>>,
    begun: HashMap<(usize, Labels<'a>), usize>,
    skipped: u64,
}

/// The samples of a histogram or a summary.
struct Parts<'a> {
    family: usize,
    labels: Labels<'a>,
    /// Upper bound and cumulative count, or quantile and value.
    points: Vec<(f64, f64)>,
    sum: f64,
    count: Option<f64>,
}

impl<'a> Page<'a> {
    fn read(text: &'a str, skipped: &mut u64) -> Vec<FamilySnapshot> {
        let mut page = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix('#') {
                page.head(comment);
            } else {
                let is_taken = page.sample(line).is_some();
                page.skipped += u64::from(!is_taken);
            }
        }
        page.finish(skipped)
    }

    fn head(&mut self, comment: &'a str) {
        let Some((keyword, name, text)) = head_line(comment.trim_start()) else {
            return;
        };
        let text = text.unwrap_or_default();
        let head = self.heads.entry(name).or_default();
        if keyword == "TYPE" {
            head.kind = text.trim();
        } else {
            head.help = text;
        }
        self.current = name;
    }

    /// Takes a sample; `None` if it is invalid.
    fn sample(&mut self, line: &'a str) -> Option<()> {
        let line = SampleLine::split(line)?;
        let value = line.value()?;
        let end = |head: &Head<'_>, name: &str| {
            let end = line.name.strip_prefix(name)?;
            head.ends().contains(&end).then_some(end)
        };
        let head = self.heads.get(self.current).copied().unwrap_or_default();
        let (head, end) = if let Some(end) = end(&head, self.current) {
            (head, end)
        } else {
            // It stands apart from its head, or has none.
            self.current = line.name;
            let head = self.heads.get(line.name).copied().unwrap_or_default();
            (head, end(&head, line.name)?)
        };
        if end == "_created" {
            return Some(());
        }
        let mut labels: Labels<'a> = escape::labels(line.labels)
            .map(|(name, value)| (name, escape::unescape(value)))
            .collect();
        labels.sort_unstable();
        let kind = head.kind();
        if !matches!(kind, Kind::Histogram | Kind::Summary) {
            let at = self.family(line.name, kind, head.help);
            let family = self.families.get_mut(at)?.as_mut()?;
            let value = Value::Number(Number::F64(value));
            return family.add(&pairs(&labels), |_| Some(value)).then_some(());
        }
        let point = match (kind, end) {
            (Kind::Histogram, "_bucket") => Some(take(&mut labels, "le")?),
            (Kind::Summary, "") => Some(take(&mut labels, "quantile")?),
            _ => None,
        };
        let family = self.family(self.current, kind, head.help);
        self.families.get(family)?.as_ref()?;
        let parts = self.parts(family, labels)?;
        match (point, end) {
            (Some(point), _) => parts.points.push((point, value)),
            (None, "_sum") => parts.sum = value,
            (None, _) => parts.count = Some(value),
        }
        Some(())
    }

    /// The place of a family, which is new if it has no sample yet.
    fn family(&mut self, name: &'a str, kind: Kind, help: &str) -> usize {
        *self.known.entry(name).or_insert_with(|| {
            let help = escape::unescape(help);
            self.families.push(Family::new(kind, name, &help));
            self.families.len() - 1
        })
    }

    fn parts(&mut self, family: usize, labels: Labels<'a>) -> Option<&mut Parts<'a>> {
        let next = self.parts.len();
        let at = *self.begun.entry((family, labels.clone())).or_insert(next);
        if at == next {
            self.parts.push(Parts {
                family,
                labels,
                points: Vec::new(),
                sum: 0.0,
                count: None,
            });
        }
        self.parts.get_mut(at)
    }

    fn finish(mut self, skipped: &mut u64) -> Vec<FamilySnapshot> {
        for parts in self.parts {
            let Some(Some(family)) = self.families.get_mut(parts.family) else {
                continue;
            };
            let labels = pairs(&parts.labels);
            let is_histogram = family.kind() == Kind::Histogram;
            let is_taken = family.add(&labels, |bounds| {
                if is_histogram {
                    let points = parts.points.iter();
                    let buckets: Option<Vec<_>> = points
                        .map(|(bound, count)| Some((*bound, whole(*count)?)))
                        .collect();
                    let buckets = buckets?;
                    // The last bucket has all of them.
                    let count = parts.count.or(parts.points.last().map(|(_, count)| *count));
                    let count = whole(count?)?;
                    convert::histogram(buckets, count, parts.sum, bounds).map(Value::Histogram)
                } else {
                    Some(Value::Summary {
                        quantiles: parts.points.clone(),
                        sum: parts.sum,
                        count: whole(parts.count.unwrap_or_default())?,
                    })
                }
            });
            self.skipped += u64::from(!is_taken);
        }
        *skipped += self.skipped;
        let families = self.families.into_iter().flatten();
        families.map(Family::finish).collect()
    }
}

/// Removes a label whose value is a number.
fn take(labels: &mut Labels<'_>, name: &str) -> Option<f64> {
    let at = labels.iter().position(|(label, _)| *label == name)?;
    labels.remove(at).1.parse().ok()
}

fn pairs<'l>(labels: &'l Labels<'_>) -> Vec<(&'l str, &'l str)> {
    labels
        .iter()
        .map(|(name, value)| (*name, &**value))
        .collect()
}

/// A count, which these formats may write as a float.
fn whole(count: f64) -> Option<u64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole and in range"
    )]
    ((0.0..=MOST).contains(&count) && count.fract() == 0.0).then_some(count as u64)
}
