//! Translates catalogue names in expressions to the names exposed here.

use std::collections::{BTreeMap, BTreeSet};

use super::foreign;
use crate::catalog::{Allowed, Kind, MetricDef};
use crate::promql::{METRIC_NAME, MatchOp, Matcher, Query, Token, TokenKind, tokens};

/// The labels that a scrape adds to every series, here and in a cluster.
const OF_THE_SCRAPE: [&str; 4] = ["job", "instance", "namespace", "pod"];

/// Keywords followed by a list of labels.
const LISTS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];

/// The placeholder for the window of rates in an expression of a table.
const WINDOW: &str = "$w";

/// The context for which an expression is written.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The window of its rates.
    pub(super) window: &'a str,
    /// Matchers added to every selector of a catalogue metric.
    pub(super) matchers: &'a str,
}

/// All metrics that expressions may use: those of the catalogue, by catalogue name and exposed
/// name, recorded ones, and those of other exporters.
pub(super) struct Names {
    by_name: BTreeMap<String, String>,
    exposed: BTreeMap<String, MetricDef>,
    records: BTreeSet<String>,
    everywhere: BTreeSet<String>,
}

impl Names {
    /// Creates it from definitions and their exposed names; `everywhere` are the labels of every
    /// series.
    pub(super) fn new<'a>(
        catalog: impl IntoIterator<Item = (String, MetricDef)>,
        everywhere: impl IntoIterator<Item = &'a String>,
    ) -> Self {
        let mut names = Self {
            by_name: BTreeMap::new(),
            exposed: BTreeMap::new(),
            records: BTreeSet::new(),
            everywhere: everywhere.into_iter().cloned().collect(),
        };
        for (exposed, def) in catalog {
            names
                .by_name
                .entry(def.name.to_string())
                .or_insert_with(|| exposed.clone());
            names.exposed.entry(exposed).or_insert(def);
        }
        names
    }

    /// Iterates over the definitions, by exposed name.
    pub(super) fn exposed(&self) -> impl Iterator<Item = (&str, &MetricDef)> {
        self.exposed.iter().map(|(name, def)| (&**name, def))
    }

    /// Adds the name of a recording rule.
    pub(super) fn record(&mut self, name: &str) {
        self.records.insert(name.to_owned());
    }

    /// Writes an expression of a table for a scope and checks it: every metric must be exposed
    /// here, every label must be one of its metric, and every value one that the label can have.
    ///
    /// # Errors
    /// The names that are not declared here.
    pub(super) fn resolve(&self, text: &str, scope: Scope<'_>) -> Result<String, String> {
        // Variables that a dashboard fills in later stand for any value.
        let plain = Scope {
            window: "5m",
            matchers: "",
        };
        let checked = if scope.window.starts_with('$') {
            plain
        } else {
            scope
        };
        self.check(&self.write(text, checked))?;
        Ok(self.write(text, scope))
    }

    /// Writes an expression with the exposed names and the matchers of the scope.
    pub(super) fn write(&self, text: &str, scope: Scope<'_>) -> String {
        let text = text.replace(WINDOW, scope.window);
        let words = tokens(&text);
        let mut out = String::with_capacity(text.len() + 64);
        let mut from = 0;
        for (at, word) in words.iter().enumerate() {
            let name = &text[word.span.clone()];
            if word.kind != TokenKind::Word || !is_selector(&text, &words, at) {
                continue;
            }
            let Some((exposed, _)) = self.metric(name) else {
                continue;
            };
            out.push_str(&text[from..word.span.start]);
            out.push_str(&exposed);
            from = word.span.end;
            if scope.matchers.is_empty() {
                continue;
            }
            out.push('{');
            out.push_str(scope.matchers);
            if let Some(brace) = words
                .get(at + 1)
                .filter(|next| text[next.span.clone()] == *"{")
            {
                from = brace.span.end;
                out.push(',');
            } else {
                out.push('}');
            }
        }
        out.push_str(&text[from..]);
        out
    }

    /// The exposed name and the definition of a metric, by its catalogue name or that of a series
    /// of a histogram.
    fn metric(&self, name: &str) -> Option<(String, &MetricDef)> {
        if let Some(exposed) = self.by_name.get(name) {
            return Some((exposed.clone(), self.exposed.get(exposed)?));
        }
        let (stem, part) = part_of(name)?;
        let exposed = self.by_name.get(stem)?;
        let def = self.exposed.get(exposed)?;
        // With native buckets only, a quantile is computed from the series itself.
        let whole = part == "_bucket" && def.buckets.is_empty();
        (def.kind == Kind::Histogram)
            .then(|| (format!("{exposed}{}", if whole { "" } else { part }), def))
    }

    /// The definition of a series by its exposed name.
    fn series(&self, name: &str) -> Option<&MetricDef> {
        let of_part = || self.exposed.get(part_of(name)?.0);
        self.exposed.get(name).or_else(of_part)
    }

    /// # Errors
    /// The names that are not declared.
    pub(super) fn check(&self, expression: &str) -> Result<(), String> {
        let query = Query::parse(expression).map_err(|error| format!("{expression}: {error}"))?;
        let mut labels: BTreeSet<&str> = OF_THE_SCRAPE.into_iter().collect();
        labels.extend(self.everywhere.iter().map(String::as_str));
        labels.extend(["le", "slo"]);
        for matchers in query.selectors() {
            labels.extend(self.check_selector(matchers)?);
        }
        for label in listed(expression) {
            // A label that a function creates appears in quotes before it is listed.
            if !labels.contains(label) && !expression.contains(&format!("\"{label}\"")) {
                return Err(format!(
                    "no metric of the expression has the label `{label}`"
                ));
            }
        }
        Ok(())
    }

    /// Checks the matchers of a selector and returns the labels of its metric.
    fn check_selector(&self, matchers: &[Matcher]) -> Result<Vec<&str>, String> {
        let is_name =
            |matcher: &&Matcher| matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal;
        let name = matchers.iter().find(is_name).map(Matcher::value);
        let Some(name) = name else {
            return Err("a selector has no metric name".to_owned());
        };
        let known: Vec<&str> = if let Some(def) = self.series(name) {
            for matcher in matchers {
                check_value(name, def, matcher)?;
            }
            def.labels.iter().map(|label| &**label).collect()
        } else if let Some(labels) = foreign::labels(name) {
            labels.to_vec()
        } else if self.records.contains(name) {
            // The labels of a recorded metric are those that its rule keeps.
            return Ok(Vec::new());
        } else {
            return Err(format!("no metric `{name}` is declared here"));
        };
        for matcher in matchers {
            let label = matcher.name();
            let is_known = known.contains(&label)
                || OF_THE_SCRAPE.contains(&label)
                || self.everywhere.contains(label)
                || [METRIC_NAME, "le"].contains(&label);
            if !is_known {
                return Err(format!("`{name}` has no label `{label}`"));
            }
        }
        Ok(known)
    }
}

/// Whether a word is the metric of a selector: outside braces and lists of labels, and not a
/// function.
fn is_selector(text: &str, words: &[Token], at: usize) -> bool {
    let symbol = |token: &Token| text[token.span.clone()].to_owned();
    if words.get(at + 1).is_some_and(|next| symbol(next) == "(") {
        return false;
    }
    let mut braces = 0;
    let mut lists: Vec<bool> = Vec::new();
    for (before, token) in words[..at].iter().enumerate() {
        match &*symbol(token) {
            "{" => braces += 1,
            "}" => braces -= 1,
            "(" => lists.push(before > 0 && LISTS.contains(&&*symbol(&words[before - 1]))),
            ")" => drop(lists.pop()),
            _ => {}
        }
    }
    braces == 0 && !lists.last().copied().unwrap_or(false)
}

/// The labels that an expression lists in `by (…)` and the like.
fn listed(text: &str) -> Vec<&str> {
    let words = tokens(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at + 1 < words.len() {
        let opens = LISTS.contains(&&text[words[at].span.clone()])
            && text[words[at + 1].span.clone()] == *"(";
        at += 1;
        if opens {
            let inside = words[at..]
                .iter()
                .take_while(|token| text[token.span.clone()] != *")");
            let names = inside.filter(|token| token.kind == TokenKind::Word);
            found.extend(names.map(|token| &text[token.span.clone()]));
        }
    }
    found
}

/// Checks the value for a label with a closed set: it must be in the set, and every alternative of
/// a pattern must match one.
fn check_value(name: &str, def: &MetricDef, matcher: &Matcher) -> Result<(), String> {
    let Some(Allowed::These(values)) = def.allowed.get(matcher.name()) else {
        return Ok(());
    };
    let wrong = |value: &str| {
        let (label, values) = (matcher.name(), values.join(", "));
        format!("`{label}` of `{name}` cannot be `{value}`; it is one of {values}")
    };
    let has = |value: &str| values.iter().any(|known| *known == *value);
    match matcher.op() {
        MatchOp::Equal | MatchOp::NotEqual if !has(matcher.value()) => Err(wrong(matcher.value())),
        MatchOp::Equal | MatchOp::NotEqual => Ok(()),
        MatchOp::Regex | MatchOp::NotRegex => {
            let plain = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let bad = matcher
                .value()
                .split('|')
                .find(|part| plain(part) && !has(part));
            bad.map_or(Ok(()), |part| Err(wrong(part)))
        }
    }
}

/// The metric to which a series of this name may belong.
pub(super) fn family(name: &str) -> &str {
    part_of(name).map_or(name, |(stem, _)| stem)
}

/// The histogram and the suffix of a series name.
fn part_of(name: &str) -> Option<(&str, &str)> {
    let mut parts = ["_bucket", "_sum", "_count"].into_iter();
    parts.find_map(|part| Some((name.strip_suffix(part)?, part)))
}
