//! Determines which rules a process can evaluate by itself.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use crate::promql::{LabelSet, METRIC_NAME, MatchOp, Matcher, Query};

/// Whether a rule can be evaluated in this process.
///
/// Rule files are written for a server with many targets; this process has the series of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// All series that it reads belong to this process.
    #[default]
    Here,
    /// It aggregates over instances, but sees only this one: evaluated, for this instance's share.
    Fleet,
    /// It reads series that this process does not have: not evaluated, since their absence here
    /// must not raise an alert.
    NoSeries(Arc<[Arc<str>]>),
}

impl Scope {
    /// Whether the rule is evaluated.
    #[must_use]
    pub fn is_evaluated(&self) -> bool {
        !matches!(self, Self::NoSeries(_))
    }

    /// Determines the scope of a rule with this expression.
    pub(super) fn of(query: &Query, measured: &Measured, recorded: &HashSet<Arc<str>>) -> Self {
        let mut missing: Vec<Arc<str>> = Vec::new();
        for matchers in query.selectors() {
            if let Some(what) = measured.missing(matchers, recorded)
                && !missing.contains(&what)
            {
                missing.push(what);
            }
        }
        if !missing.is_empty() {
            return Self::NoSeries(missing.into());
        }
        if query.drops("instance") {
            Self::Fleet
        } else {
            Self::Here
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here => f.write_str("evaluated here"),
            Self::Fleet => {
                f.write_str("a fleet rule: evaluated, but this replica sees only itself")
            }
            Self::NoSeries(names) => write!(f, "no such series here: {}", names.join(", ")),
        }
    }
}

/// The series that a process declares, with or without values yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Each name, with the labels of its series if they are known.
    names: BTreeMap<Arc<str>, Option<Arc<MeasuredLabels>>>,
    target: LabelSet,
}

/// Each label of a metric, with its values if it has no others.
pub type MeasuredLabels = BTreeMap<Arc<str>, Option<Vec<Arc<str>>>>;

impl Measured {
    /// Creates it from names and `up`, with the labels of the target on each series. Other labels
    /// of the series are not known, so any may be selected; `up` has no others.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = Arc<str>>, target: LabelSet) -> Self {
        let mut names: BTreeMap<_, _> = names.into_iter().map(|name| (name, None)).collect();
        // Created here, with the labels of this target only, and of no other target.
        names.insert(Arc::from("up"), Some(Arc::default()));
        Self { names, target }
    }

    /// Sets all labels of the series of a name, without those of the target: a selector of another
    /// label, or of another value of a label that has all its values here, matches nothing.
    #[must_use]
    pub fn with_labels(mut self, name: Arc<str>, labels: &Arc<MeasuredLabels>) -> Self {
        self.names.insert(name, Some(Arc::clone(labels)));
        self
    }

    /// Returns a selector that cannot match, as text.
    fn missing(&self, matchers: &[Matcher], recorded: &HashSet<Arc<str>>) -> Option<Arc<str>> {
        let named = |matcher: &&Matcher| matcher.name() == METRIC_NAME;
        let known = |name: &Arc<str>| matchers.iter().filter(named).all(|m| m.matches(name));
        if recorded.iter().any(known) {
            return None;
        }
        let name = matchers.iter().find(named);
        let mut why = None;
        for (_, labels) in self.names.iter().filter(|(name, _)| known(name)) {
            why = Some(self.impossible(matchers, labels.as_deref())?);
        }
        let name = name.map_or_else(|| Arc::from("{}"), shown);
        let Some((matcher, labels)) = why else {
            return Some(name);
        };
        let selector = match name.strip_suffix('}') {
            Some("{") => format!("{{{matcher:?}}}"),
            Some(others) => format!("{others}, {matcher:?}}}"),
            None => format!("{name}{{{matcher:?}}}"),
        };
        Some(format!("{selector}{labels}").into())
    }

    /// A matcher that series with these labels never have, and what they have instead.
    fn impossible<'m>(
        &self,
        matchers: &'m [Matcher],
        labels: Option<&MeasuredLabels>,
    ) -> Option<(&'m Matcher, String)> {
        let others = matchers.iter().filter(|m| m.name() != METRIC_NAME);
        let mut wrong = others.filter_map(|matcher| {
            // The target will never have another label.
            if let Some(value) = self.target.get(matcher.name()) {
                return (!matcher.matches(value)).then(|| (matcher, String::new()));
            }
            let labels = labels.filter(|_| !matcher.matches(""))?;
            let why = match labels.get(matcher.name()) {
                None => {
                    let target = self.target.iter().map(|(name, _)| name);
                    let own = labels.keys().map(|name| &**name);
                    match &*target.chain(own).collect::<Vec<_>>().join(", ") {
                        "" => " (it has no labels here)".to_owned(),
                        all => format!(" (labels here: {all})"),
                    }
                }
                Some(Some(values)) if !values.iter().any(|value| matcher.matches(value)) => {
                    format!(" (values here: {})", values.join(", "))
                }
                Some(_) => return None,
            };
            Some((matcher, why))
        });
        wrong.next()
    }
}

fn shown(matcher: &Matcher) -> Arc<str> {
    match matcher.op() {
        MatchOp::Equal => Arc::from(matcher.value()),
        _ => format!("{{{matcher:?}}}").into(),
    }
}
