//! Evaluates an expression on samples after a moment only, to verify that an action has helped.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use promql_parser::parser::{Expr, FunctionArgs, VectorSelector, parse};

use super::alert::Alerts;
use super::context::Context;
use super::file::FileRule;
use super::given::Given;
use super::options::RulesOptions;
use super::recorded::one_after_other;
use super::texts::Surroundings;
use crate::promql::{
    LabelSet, METRIC_NAME, Matcher, Query, QueryError, Queryable, Sample, Selection, Series, Sink,
};
use crate::util::STALE;

/// The functions whose result grows with the length of their range.
const GROWING: [&str; 6] = [
    "increase",
    "delta",
    "sum_over_time",
    "count_over_time",
    "changes",
    "resets",
];

/// The expression with its ranges shortened to start at a moment. Results that grow with the range
/// (`increase` and others) are scaled up to the whole range, so that limits in the expression stay
/// valid. Ranges with an offset or `@` refer to another time on purpose and stay unchanged.
fn clipped(query: &Query, reach: Duration) -> Result<Query, QueryError> {
    let Ok(mut expr) = parse(query.text()) else {
        return Ok(query.clone());
    };
    clip(&mut expr, reach);
    Query::parse(&expr.to_string())
}

fn clip(expr: &mut Expr, reach: Duration) {
    match expr {
        Expr::Aggregate(it) => {
            clip(&mut it.expr, reach);
            if let Some(param) = &mut it.param {
                clip(param, reach);
            }
        }
        Expr::Unary(it) => clip(&mut it.expr, reach),
        Expr::Paren(it) => clip(&mut it.expr, reach),
        Expr::Binary(it) => {
            clip(&mut it.lhs, reach);
            clip(&mut it.rhs, reach);
        }
        Expr::MatrixSelector(it) if is_now(&it.vs) => it.range = it.range.min(reach),
        Expr::Subquery(it) => {
            clip(&mut it.expr, reach);
            if it.offset.is_none() && it.at.is_none() {
                it.range = it.range.min(reach);
            }
        }
        Expr::Call(it) => {
            let before = range(&it.args);
            for argument in &mut it.args.args {
                clip(argument, reach);
            }
            let (Some(before), Some(after)) = (before, range(&it.args)) else {
                return;
            };
            if after < before && GROWING.contains(&it.func.name) {
                let factor = before.as_secs_f64() / after.as_secs_f64();
                if let Ok(Expr::Paren(mut scaled)) = parse(&format!("(x * {factor})"))
                    && let Expr::Binary(product) = &mut *scaled.expr
                {
                    *product.lhs = expr.clone();
                    *expr = Expr::Paren(scaled);
                }
            }
        }
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::MatrixSelector(_)
        | Expr::Extension(_) => {}
    }
}

fn is_now(selector: &VectorSelector) -> bool {
    selector.offset.is_none() && selector.at.is_none()
}

/// The range selector among the arguments.
fn range(arguments: &FunctionArgs) -> Option<Duration> {
    arguments
        .args
        .iter()
        .find_map(|argument| match &**argument {
            Expr::MatrixSelector(it) => Some(it.range),
            Expr::Subquery(it) => Some(it.range),
            _ => None,
        })
}

/// A source that detects too few samples after a moment: one is needed for an instant selector, two
/// for a range.
struct Fresh<'a, S: ?Sized> {
    inner: &'a S,
    /// In milliseconds since 1970.
    since: i64,
    starved: Cell<bool>,
}

impl<S: Queryable + ?Sized> Queryable for Fresh<'_, S> {
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.inner.select(selection, &mut |series| {
            // Reads of an earlier time are not affected.
            if selection.until > self.since {
                let ended = series
                    .samples
                    .last()
                    .is_some_and(|last| last.value.is_stale());
                let after = series.samples.iter().rev();
                let after = after.take_while(|sample| sample.time > self.since).count();
                let least = if selection.newest_only { 1 } else { 2 };
                if after < least && !ended {
                    self.starved.set(true);
                }
            }
            sink(series)
        })
    }
}

/// The result of a rule on samples after a moment only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recheck {
    /// There are too few samples, or the expression cannot be evaluated on them.
    Unknown,
    /// The labels of its alerts, regardless of `for`.
    Gives(Vec<LabelSet>),
}

/// The series of recording rules, recomputed on samples after a moment; other series come from the
/// inner source.
struct Renewed<'a, S: ?Sized> {
    series: Vec<Series>,
    rules: &'a [&'a FileRule],
    inner: &'a S,
}

impl<S: Queryable + ?Sized> Queryable for Renewed<'_, S> {
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let renewed = |labels: &LabelSet| {
            let name = labels.name();
            self.rules.iter().any(|rule| name == Some(&*rule.name))
        };
        one_after_other(&self.series[..], self.inner, renewed, selection, sink)
    }
}

/// Whether an expression reads series of this name.
fn reads(expr: &Query, name: &str) -> bool {
    let named = |matcher: &&Matcher| matcher.name() == METRIC_NAME;
    expr.selectors().any(|matchers| {
        let mut wanted = matchers.iter().filter(named).peekable();
        wanted.peek().is_some() && wanted.all(|matcher| matcher.matches(name))
    })
}

/// The recording rules on which an expression depends, directly or indirectly, in order.
fn recorders<'r>(expr: &Query, rules: &'r [FileRule]) -> Vec<&'r FileRule> {
    let mut needed = vec![false; rules.len()];
    loop {
        let more: Vec<usize> = (0..rules.len())
            .filter(|at| {
                let rule = &rules[*at];
                let mut known = rules.iter().zip(&needed).filter(|(_, needed)| **needed);
                let is_read = reads(expr, &rule.name)
                    || known.any(|(known, _)| reads(&known.expr, &rule.name));
                !needed[*at] && rule.alerting.is_none() && is_read
            })
            .collect();
        if more.is_empty() {
            break;
        }
        for at in more {
            needed[at] = true;
        }
    }
    let rules = rules.iter().zip(needed);
    rules
        .filter_map(|(rule, needed)| needed.then_some(rule))
        .collect()
}

/// The results of recording rules at a time, on samples after a moment. `None` if one fails.
fn renew(
    rules: &[&FileRule],
    source: &(impl Queryable + ?Sized),
    (since, now): (i64, i64),
    options: &RulesOptions,
) -> Option<Vec<Series>> {
    let reach = Duration::from_millis(u64::try_from(now - since).ok()?);
    let surroundings = Surroundings::new(options);
    let mut renewed = Renewed {
        series: Vec::new(),
        rules,
        inner: source,
    };
    for rule in rules {
        let rule = FileRule {
            expr: clipped(&rule.expr, reach).ok()?,
            ..(*rule).clone()
        };
        let mut context = Context::alone(&renewed, now, options, &surroundings);
        let mut given = Given::default();
        let state = (&mut Alerts::default(), &mut given);
        context
            .rule(&rule, state, &mut Vec::new(), &mut Vec::new())
            .ok()?;
        let given = given.series().map(|(labels, value)| Series {
            labels: labels.clone(),
            samples: vec![Sample {
                time: now,
                value: value.clone(),
            }],
        });
        renewed.series.extend(given.collect::<Vec<_>>());
    }
    Some(renewed.series)
}

/// Evaluates an alerting rule at `now` as if there were no samples before `since`, both in
/// milliseconds since 1970: the result is the state after an action that ended at `since`.
///
/// Those of `rules` that record what it reads are recomputed in the same way, since their recorded
/// samples may depend on older ones. Series recorded by other rules are used as they are.
#[must_use]
pub fn recheck(
    rule: &FileRule,
    rules: &[FileRule],
    source: &(impl Queryable + ?Sized),
    (since, now): (i64, i64),
    options: &RulesOptions,
) -> Recheck {
    let reach = u64::try_from(now - since).unwrap_or(0);
    let Ok(expr) = clipped(&rule.expr, Duration::from_millis(reach)) else {
        return Recheck::Unknown;
    };
    let recorders = recorders(&rule.expr, rules);
    let rule = FileRule {
        expr,
        ..rule.clone()
    };
    let fresh = || Fresh {
        inner: source,
        since,
        starved: Cell::new(false),
    };
    let measured = fresh();
    let mut series = Vec::new();
    // Recorded halfway too, so that ranges contain two samples, if possible.
    let early = fresh();
    let middle = since + (now - since) / 2;
    if let Some(first) = renew(&recorders, &early, (since, middle), options)
        && !early.starved.get()
    {
        series = first;
    }
    let Some(last) = renew(&recorders, &measured, (since, now), options) else {
        return Recheck::Unknown;
    };
    for new in last {
        match series
            .iter_mut()
            .find(|known: &&mut Series| known.labels == new.labels)
        {
            Some(known) => known.samples.extend(new.samples),
            None => series.push(new),
        }
    }
    // Series no longer in the result have ended.
    for series in &mut series {
        if series.samples.last().is_some_and(|last| last.time < now) {
            let value = f64::from_bits(STALE).into();
            series.samples.push(Sample { time: now, value });
        }
    }
    let source = Renewed {
        series,
        rules: &recorders,
        inner: &measured,
    };
    let surroundings = Surroundings::new(options);
    let mut context = Context::alone(&source, now, options, &surroundings);
    let mut alerts = Alerts::default();
    let state = (&mut alerts, &mut Given::default());
    let ended = context.rule(&rule, state, &mut Vec::new(), &mut Vec::new());
    if ended.is_err() || measured.starved.get() {
        return Recheck::Unknown;
    }
    let alerts = alerts.list().into_iter();
    Recheck::Gives(alerts.map(|alert| alert.labels).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_at_the_moment_and_what_grows_with_them_is_scaled() {
        for (before, after) in [
            ("rate(x[5m]) > 0.1", "rate(x[30s]) > 0.1"),
            ("rate(x[10s]) > 0.1", "rate(x[10s]) > 0.1"),
            ("increase(x[5m]) > 10", "(increase(x[30s]) * 10) > 10"),
            ("sum(increase(x[1m]))", "sum((increase(x[30s]) * 2))"),
            (
                "rate(x[5m] offset 1h) / rate(x[5m])",
                "rate(x[5m] offset 1h) / rate(x[30s])",
            ),
            (
                "max_over_time(rate(x[1m])[5m:10s])",
                "max_over_time(rate(x[30s])[30s:10s])",
            ),
            ("x > 1 and absent(y)", "x > 1 and absent(y)"),
        ] {
            let query = Query::parse(before).unwrap();
            let clipped = clipped(&query, Duration::from_secs(30)).unwrap();
            let plain = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(plain(clipped.text()), plain(after));
        }
    }

    #[test]
    fn the_longest_range_is_found() {
        for (text, seconds) in [
            ("up", 0),
            ("rate(x[5m]) > 0 and increase(y[1h]) > 0", 3_600),
            ("max_over_time(rate(x[1m])[5m:])", 360),
        ] {
            let query = Query::parse(text).unwrap();
            assert_eq!(
                query.longest_range(),
                Duration::from_secs(seconds),
                "{text}"
            );
        }
    }
}
