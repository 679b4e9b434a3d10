//! An expression as it is evaluated.

use std::sync::Arc;

use crate::promql::functions::Function;
use crate::promql::grouping::Grouping;
use crate::promql::query::QueryType;
use crate::promql::source::Matcher;

/// A part of an expression and where it begins, in bytes.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Number(f64),
    Text(Arc<str>),
    /// An instant selector: its place in the list of selectors.
    Selector(usize),
    /// A range selector, and its range in milliseconds.
    Range(usize, i64),
    Subquery(Box<Subquery>),
    Negate(Box<Node>),
    Binary(Box<Binary>),
    Aggregate(Box<Aggregate>),
    Call(Box<Call>),
}

/// Moves the time that a selector or subquery is evaluated at. Times in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shift {
    pub(crate) offset: i64,
    pub(crate) fixed: Option<Fixed>,
}

/// What stands after `@`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fixed {
    At(i64),
    Start,
    End,
}

#[derive(Debug)]
pub(crate) struct Selector {
    pub(crate) at: usize,
    pub(crate) matchers: Arc<[Matcher]>,
    pub(crate) shift: Shift,
    /// Whether resets of histograms are looked for as they are read, since of the histograms only
    /// count and sum are used.
    pub(crate) finds_resets: bool,
    /// The milliseconds of a range selector; `None` for an instant selector.
    pub(crate) range: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct Subquery {
    /// Its place among the subqueries.
    pub(crate) place: usize,
    pub(crate) inner: Node,
    pub(crate) range: i64,
    pub(crate) step: Option<i64>,
    pub(crate) shift: Shift,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// `</`: of histograms, what is below a value.
    TrimUpper,
    /// `>/`: what is above.
    TrimLower,
    And,
    Or,
    Unless,
}

impl Node {
    pub(crate) fn result_type(&self) -> QueryType {
        match &self.kind {
            Kind::Number(_) => QueryType::Scalar,
            Kind::Text(_) => QueryType::Text,
            Kind::Selector(_) | Kind::Aggregate(_) => QueryType::Vector,
            Kind::Range(..) | Kind::Subquery(_) => QueryType::Matrix,
            Kind::Negate(inner) => inner.result_type(),
            Kind::Binary(binary) => match (binary.left.result_type(), binary.right.result_type()) {
                (QueryType::Scalar, QueryType::Scalar) => QueryType::Scalar,
                _ => QueryType::Vector,
            },
            Kind::Call(call) => call.function.returns,
        }
    }
}

impl Op {
    /// All operators and how they are written.
    pub(crate) const NAMES: &[(&str, Self)] = &[
        ("+", Self::Add),
        ("-", Self::Sub),
        ("*", Self::Mul),
        ("/", Self::Div),
        ("%", Self::Mod),
        ("^", Self::Pow),
        ("atan2", Self::Atan2),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::LessEqual),
        (">", Self::Greater),
        (">=", Self::GreaterEqual),
        ("</", Self::TrimUpper),
        (">/", Self::TrimLower),
        ("and", Self::And),
        ("or", Self::Or),
        ("unless", Self::Unless),
    ];

    pub(crate) fn symbol(self) -> &'static str {
        let mut found = Self::NAMES.iter().filter(|(_, op)| *op == self);
        found.next().map_or("", |(name, _)| name)
    }

    pub(crate) fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessEqual
                | Self::Greater
                | Self::GreaterEqual
        )
    }

    /// Whether what it gives is a part of its left side, and goes by the same name.
    pub(crate) fn keeps_name(self, returns_bool: bool) -> bool {
        let trims = matches!(self, Self::TrimUpper | Self::TrimLower);
        trims || self.is_comparison() && !returns_bool
    }

    pub(crate) fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }
}

/// Which side may have several series for one of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Many {
    None,
    Left,
    Right,
}

#[derive(Debug)]
pub(crate) struct Binary {
    pub(crate) op: Op,
    pub(crate) left: Node,
    pub(crate) right: Node,
    pub(crate) returns_bool: bool,
    /// The labels that pairs have in common.
    pub(crate) on: Grouping,
    pub(crate) many: Many,
    /// The labels that the result has from the side of one.
    pub(crate) include: Vec<Arc<str>>,
    /// What stands for a missing left or right.
    pub(crate) fill: (Option<f64>, Option<f64>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregation {
    Sum,
    Avg,
    Count,
    Min,
    Max,
    Group,
    Stddev,
    Stdvar,
    Topk,
    Bottomk,
    Limitk,
    LimitRatio,
    Quantile,
    CountValues,
}

#[derive(Debug)]
pub(crate) struct Aggregate {
    pub(crate) op: Aggregation,
    pub(crate) by: Grouping,
    pub(crate) parameter: Option<Node>,
    pub(crate) inner: Node,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) function: &'static Function,
    pub(crate) arguments: Vec<Node>,
}

impl Call {
    /// An argument; the call itself, which is of no use as one, if the parser let a call pass
    /// that has too few.
    pub(crate) fn argument<'a>(&'a self, place: usize, call: &'a Node) -> &'a Node {
        self.arguments.get(place).unwrap_or(call)
    }
}
