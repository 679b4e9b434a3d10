//! Reads all series of a query before its evaluation: each selector once, for all steps.

use std::ops::ControlFlow;
use std::rc::Rc;

use super::bounds::{Bounds, Guard};
use super::loaded::Loaded;
use crate::promql::error::{Limit, QueryError};
use crate::promql::histogram;
use crate::promql::options::QueryOptions;
use crate::promql::parse::{Fixed, Kind, Node, Parsed, Selector, Shift};
use crate::promql::source::{Queryable, Selection};

/// The first and last time at which a part of the expression is evaluated.
pub(crate) type Span = (i64, i64);

impl Shift {
    /// The time at which a part is evaluated when the enclosing expression is at `time`.
    pub(crate) fn apply(&self, time: i64, (start, end): Span) -> i64 {
        let fixed = match self.fixed {
            None => time,
            Some(Fixed::At(at)) => at,
            Some(Fixed::Start) => start,
            Some(Fixed::End) => end,
        };
        fixed.saturating_sub(self.offset)
    }
}

/// The evaluation times of each selector and each subquery.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    pub(crate) selectors: Vec<Span>,
    pub(crate) subqueries: Vec<Span>,
}

impl Spans {
    pub(crate) fn of(parsed: &Parsed, query: Span, options: &Bounds) -> Self {
        let mut spans = Self {
            selectors: vec![query; parsed.selectors.len()],
            subqueries: vec![query; parsed.subqueries],
        };
        spans.visit(&parsed.root, parsed, query, query, options);
        spans
    }

    fn visit(&mut self, node: &Node, parsed: &Parsed, at: Span, query: Span, bounds: &Bounds) {
        let moved = |shift: &Shift| (shift.apply(at.0, query), shift.apply(at.1, query));
        match &node.kind {
            Kind::Selector(place) | Kind::Range(place, _) => {
                self.selectors[*place] = moved(&parsed.selectors[*place].shift);
            }
            Kind::Subquery(subquery) => {
                let (from, to) = moved(&subquery.shift);
                self.subqueries[subquery.place] = (from, to);
                let first = bounds.first_step(subquery, from);
                self.visit(&subquery.inner, parsed, (first, to), query, bounds);
            }
            _ => {
                for child in node.children() {
                    self.visit(child, parsed, at, query, bounds);
                }
            }
        }
    }
}

/// Reads the series of every selector.
pub(crate) fn load(
    parsed: &Parsed,
    spans: &Spans,
    source: &(impl Queryable + ?Sized),
    options: &QueryOptions,
    bounds: &Bounds,
    guard: &mut Guard<'_>,
) -> Result<Vec<Rc<Vec<Loaded>>>, QueryError> {
    let mut left = options.max_series;
    let mut loaded = Vec::with_capacity(parsed.selectors.len());
    for (selector, span) in parsed.selectors.iter().zip(&spans.selectors) {
        let selection = selection(selector, *span, bounds);
        let mut found = Vec::new();
        let mut stopped = None;
        source
            .select(&selection, &mut |mut series| {
                if selector.range.is_some() {
                    // Ranges have no stale markers.
                    series.samples.retain(|sample| !sample.value.is_stale());
                }
                if selector.finds_resets {
                    histogram::find_resets(&mut series.samples);
                }
                if series.samples.is_empty() {
                    return ControlFlow::Continue(());
                }
                let held = guard.hold(series.samples.len(), selector.at);
                let series_left = left.checked_sub(1);
                left = series_left.unwrap_or(0);
                stopped = match (held, series_left) {
                    (Err(error), _) => Some(error),
                    (_, None) => Some(guard.limit(Limit::Series, selector.at)),
                    _ => None,
                };
                if stopped.is_some() {
                    return ControlFlow::Break(());
                }
                found.push(Loaded::from(series));
                ControlFlow::Continue(())
            })
            .map_err(QueryError::Source)?;
        if let Some(error) = stopped {
            return Err(error);
        }
        loaded.push(Rc::new(found));
    }
    Ok(loaded)
}

fn selection(selector: &Selector, (from, to): Span, bounds: &Bounds) -> Selection {
    let back = selector.range.unwrap_or(bounds.lookback);
    Selection {
        matchers: selector.matchers.clone(),
        after: from.saturating_sub(back),
        until: to,
        newest_only: selector.range.is_none() && from == to && !selector.finds_resets,
    }
}
