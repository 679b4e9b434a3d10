//! The tree of an expression, as it is evaluated.

use std::sync::Arc;

use crate::promql::grouping::Grouping;
use crate::promql::source::Matcher;

/// An expression and the selectors in it.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) root: Node,
    pub(crate) selectors: Vec<Selector>,
    /// The number of subqueries.
    pub(crate) subqueries: usize,
    /// The names of the called functions, and their positions.
    pub(crate) calls: Vec<(&'static str, usize)>,
}

/// A part of an expression and its offset in bytes.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Number(f64),
    Text(Arc<str>),
    /// An instant selector: its index in the list of selectors.
    Selector(usize),
    /// A range selector's index, and its range in milliseconds.
    Range(usize, i64),
    Subquery(Box<Subquery>),
    Negate(Box<Node>),
    Binary(Box<Binary>),
    Aggregate(Box<Aggregate>),
    Call(Box<Call>),
}

/// Shifts the evaluation time of a selector or subquery, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shift {
    pub(crate) offset: i64,
    pub(crate) fixed: Option<Fixed>,
}

/// The time after `@`.
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
    /// Whether resets of histograms are detected on reading, since only their count and sum are
    /// used.
    pub(crate) finds_resets: bool,
    /// The range in milliseconds; `None` for an instant selector.
    pub(crate) range: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct Subquery {
    /// Its index among the subqueries.
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
    /// `</`: keeps the part of a histogram below a value.
    TrimUpper,
    /// `>/`: keeps the part above a value.
    TrimLower,
    And,
    Or,
    Unless,
}

/// The type of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryType {
    /// A number.
    Scalar,
    /// A text.
    Text,
    /// An instant vector.
    Vector,
    /// A range, which has no value in a range query.
    Matrix,
}

impl Node {
    /// The nodes directly below this one, in the order of the text.
    pub(crate) fn children(&self) -> impl Iterator<Item = &Self> {
        let (ends, arguments): ([Option<&Self>; 2], &[Self]) = match &self.kind {
            Kind::Number(_) | Kind::Text(_) | Kind::Selector(_) | Kind::Range(..) => {
                ([None, None], &[])
            }
            Kind::Subquery(subquery) => ([Some(&subquery.inner), None], &[]),
            Kind::Negate(inner) => ([Some(&**inner), None], &[]),
            Kind::Binary(binary) => ([Some(&binary.left), Some(&binary.right)], &[]),
            Kind::Aggregate(aggregate) => {
                ([aggregate.parameter.as_ref(), Some(&aggregate.inner)], &[])
            }
            Kind::Call(call) => ([None, None], &call.arguments),
        };
        ends.into_iter().flatten().chain(arguments)
    }

    /// The longest range below, without offsets, in milliseconds; that of a subquery adds to those
    /// within it.
    pub(crate) fn longest_range(&self) -> i64 {
        let below = self.children().map(Self::longest_range).max().unwrap_or(0);
        match &self.kind {
            Kind::Range(_, range) => *range,
            Kind::Subquery(subquery) => subquery.range.saturating_add(below),
            _ => below,
        }
    }

    /// Whether an aggregation below drops a label.
    pub(crate) fn drops(&self, label: &str) -> bool {
        let Kind::Aggregate(aggregate) = &self.kind else {
            return self.children().any(|child| child.drops(label));
        };
        // These return some of the series unchanged.
        let picks = matches!(
            aggregate.op,
            Aggregation::Topk | Aggregation::Bottomk | Aggregation::Limitk
        );
        !picks && !aggregate.by.keeps(label) || aggregate.inner.drops(label)
    }

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
            Kind::Call(call) => call.returns,
        }
    }
}

impl Op {
    /// All operators with their notation.
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

    /// Whether the result is a part of the left side and keeps its name.
    pub(crate) fn keeps_name(self, returns_bool: bool) -> bool {
        let trims = matches!(self, Self::TrimUpper | Self::TrimLower);
        trims || self.is_comparison() && !returns_bool
    }

    pub(crate) fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }
}

/// The side that may have several series per series of the other.
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
    /// The matching labels.
    pub(crate) on: Grouping,
    pub(crate) many: Many,
    /// The labels that the result takes from the "one" side.
    pub(crate) include: Vec<Arc<str>>,
    /// The values for a missing left or right side.
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

impl Aggregation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::Group => "group",
            Self::Stddev => "stddev",
            Self::Stdvar => "stdvar",
            Self::Topk => "topk",
            Self::Bottomk => "bottomk",
            Self::Limitk => "limitk",
            Self::LimitRatio => "limit_ratio",
            Self::Quantile => "quantile",
            Self::CountValues => "count_values",
        }
    }
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
    pub(crate) name: &'static str,
    /// Its index among the calls.
    pub(crate) place: usize,
    pub(crate) returns: QueryType,
    pub(crate) arguments: Vec<Node>,
}

impl Call {
    /// An argument; the call itself, which is invalid as one, if the parser accepted too few.
    pub(crate) fn argument<'a>(&'a self, place: usize, call: &'a Node) -> &'a Node {
        self.arguments.get(place).unwrap_or(call)
    }
}
