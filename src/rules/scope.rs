//! Determines which rules a process can evaluate by itself.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use promql_parser::parser::{Expr, FunctionArgs, LabelModifier, parse};

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
        // If the library cannot parse it, the syntax is newer, and it is evaluated.
        match parse(query.text()) {
            Ok(expr) if drops_instance(&expr) => Self::Fleet,
            _ => Self::Here,
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
    names: HashSet<Arc<str>>,
    target: LabelSet,
}

impl Measured {
    /// Creates it from names, with the labels of the target on each series.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = Arc<str>>, target: LabelSet) -> Self {
        Self {
            names: names.into_iter().collect(),
            target,
        }
    }

    /// Returns a selector that cannot match, as text.
    fn missing(&self, matchers: &[Matcher], recorded: &HashSet<Arc<str>>) -> Option<Arc<str>> {
        let named = |matcher: &&Matcher| matcher.name() == METRIC_NAME;
        let known = |name: &Arc<str>| matchers.iter().filter(named).all(|m| m.matches(name));
        if recorded.iter().any(known) {
            return None;
        }
        let name = matchers.iter().find(named);
        if !self.names.iter().any(known) {
            return Some(name.map_or_else(|| Arc::from("{}"), shown));
        }
        // The target will never have another label.
        let wrong = matchers.iter().find(|matcher| {
            let target = self.target.get(matcher.name());
            target.is_some_and(|value| !matcher.matches(value))
        })?;
        let name = name.map_or_else(|| Arc::from(""), shown);
        Some(format!("{name}{{{wrong:?}}}").into())
    }
}

fn shown(matcher: &Matcher) -> Arc<str> {
    match matcher.op() {
        MatchOp::Equal => Arc::from(matcher.value()),
        _ => format!("{{{matcher:?}}}").into(),
    }
}

/// Whether an expression aggregates away the label `instance`.
fn drops_instance(expr: &Expr) -> bool {
    match expr {
        Expr::Aggregate(aggregate) => {
            let kept = match &aggregate.modifier {
                Some(LabelModifier::Include(by)) => by.labels.iter().any(|name| name == "instance"),
                Some(LabelModifier::Exclude(without)) => {
                    !without.labels.iter().any(|name| name == "instance")
                }
                None => false,
            };
            // These return some of the series unchanged.
            let picks = matches!(&*aggregate.op.to_string(), "topk" | "bottomk" | "limitk");
            !kept && !picks || drops_instance(&aggregate.expr)
        }
        Expr::Unary(unary) => drops_instance(&unary.expr),
        Expr::Binary(binary) => drops_instance(&binary.lhs) || drops_instance(&binary.rhs),
        Expr::Paren(paren) => drops_instance(&paren.expr),
        Expr::Subquery(subquery) => drops_instance(&subquery.expr),
        Expr::Call(call) => {
            let FunctionArgs { args, .. } = &call.args;
            args.iter().any(|argument| drops_instance(argument))
        }
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::MatrixSelector(_)
        | Expr::Extension(_) => false,
    }
}
