//! Converts the parser's tree to ours: with positions and anchored matchers.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use promql_parser::label::{MatchOp as ParsedOp, Matchers};
use promql_parser::parser::{
    AggregateExpr, AtModifier, BinaryExpr, Call as ParsedCall, Expr, LabelModifier, Offset,
    SubqueryExpr, VectorMatchCardinality, VectorSelector, value::ValueType,
};

use super::node::{
    Aggregate, Aggregation, Binary, Call, Fixed, Kind, Many, Node, Op, Parsed, QueryType, Selector,
    Shift, Subquery,
};
use super::places::Places;
use super::tokens::{Kind as Word, Token};
use crate::promql::error::{Place, QueryError};
use crate::promql::grouping::Grouping;
use crate::promql::labels::METRIC_NAME;
use crate::promql::source::{MatchOp, Matcher};

pub(super) fn convert(text: &str, tokens: &[Token], tree: Expr) -> Result<Parsed, QueryError> {
    let mut converter = Converter {
        text,
        places: Places::new(text, tokens),
        selectors: Vec::new(),
        subqueries: 0,
        calls: Vec::new(),
        in_statistics: false,
    };
    let root = converter.node(tree)?;
    Ok(Parsed {
        root,
        selectors: converter.selectors,
        subqueries: converter.subqueries,
        calls: converter.calls,
    })
}

struct Converter<'a> {
    text: &'a str,
    places: Places<'a>,
    selectors: Vec<Selector>,
    subqueries: usize,
    calls: Vec<(&'static str, usize)>,
    /// Within a function that uses only the count and sum of histograms.
    in_statistics: bool,
}

const AGGREGATIONS: &[(&str, Aggregation)] = &[
    ("sum", Aggregation::Sum),
    ("avg", Aggregation::Avg),
    ("count", Aggregation::Count),
    ("min", Aggregation::Min),
    ("max", Aggregation::Max),
    ("group", Aggregation::Group),
    ("stddev", Aggregation::Stddev),
    ("stdvar", Aggregation::Stdvar),
    ("topk", Aggregation::Topk),
    ("bottomk", Aggregation::Bottomk),
    ("limitk", Aggregation::Limitk),
    ("limit_ratio", Aggregation::LimitRatio),
    ("quantile", Aggregation::Quantile),
    ("count_values", Aggregation::CountValues),
];

impl Converter<'_> {
    fn fault(&self, at: usize, message: impl Into<String>) -> QueryError {
        QueryError::Syntax {
            place: Place::of(self.text, at),
            message: message.into(),
        }
    }

    fn node(&mut self, expr: Expr) -> Result<Node, QueryError> {
        match expr {
            Expr::Paren(paren) => {
                self.places.symbol("(");
                let inner = self.node(*paren.expr)?;
                self.places.symbol(")");
                Ok(inner)
            }
            Expr::NumberLiteral(number) => {
                let at = self.places.number();
                let kind = Kind::Number(number.val);
                Ok(Node { at, kind })
            }
            Expr::StringLiteral(text) => {
                let at = self.places.seek(|kind, _| kind == Word::Text);
                if self.places.has_raw_bytes() {
                    let message = "escapes of bytes above 127 are not supported: write the \
                                   character itself";
                    return Err(self.fault(at, message));
                }
                let kind = Kind::Text(text.val.into());
                Ok(Node { at, kind })
            }
            Expr::VectorSelector(selector) => {
                let (at, place) = self.selector(selector, None)?;
                let kind = Kind::Selector(place);
                Ok(Node { at, kind })
            }
            Expr::MatrixSelector(selector) => {
                let range = self.millis(selector.range)?;
                let (at, place) = self.selector(selector.vs, Some(range))?;
                let kind = Kind::Range(place, range);
                Ok(Node { at, kind })
            }
            Expr::Unary(unary) => {
                let at = self.places.symbol("-");
                let kind = Kind::Negate(Box::new(self.node(*unary.expr)?));
                Ok(Node { at, kind })
            }
            Expr::Subquery(subquery) => self.subquery(subquery),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Call(call) => self.call(call),
            Expr::Extension(_) => Err(self.fault(self.places.here(), "unknown kind of expression")),
        }
    }

    fn millis(&self, duration: Duration) -> Result<i64, QueryError> {
        let millis = i64::try_from(duration.as_millis()).ok();
        // Far from the limits of i64, so that sums of several do not overflow.
        millis
            .filter(|millis| *millis < i64::MAX / 64)
            .ok_or_else(|| self.fault(self.places.here(), "duration out of range"))
    }

    fn shift(&self, offset: Option<&Offset>, at: Option<&AtModifier>) -> Result<Shift, QueryError> {
        let offset = match offset {
            None => 0,
            Some(Offset::Pos(duration)) => self.millis(*duration)?,
            Some(Offset::Neg(duration)) => -self.millis(*duration)?,
        };
        let fixed = match at {
            None => None,
            Some(AtModifier::Start) => Some(Fixed::Start),
            Some(AtModifier::End) => Some(Fixed::End),
            Some(AtModifier::At(time)) => Some(Fixed::At(
                match time.duration_since(SystemTime::UNIX_EPOCH) {
                    Ok(since) => self.millis(since)?,
                    Err(before) => -self.millis(before.duration())?,
                },
            )),
        };
        Ok(Shift { offset, fixed })
    }

    fn selector(
        &mut self,
        selector: VectorSelector,
        range: Option<i64>,
    ) -> Result<(usize, usize), QueryError> {
        let at = self
            .places
            .seek(|kind, word| kind == Word::Word || word == "{");
        let matchers = self.matchers(at, selector.name, &selector.matchers)?;
        if self
            .text
            .get(at..)
            .is_some_and(|text| text.starts_with('{'))
        {
            self.places.skip_opened("{", "}");
        } else {
            self.places.skip_brackets("{", "}");
        }
        self.places.skip_suffixes();
        let shift = self.shift(selector.offset.as_ref(), selector.at.as_ref())?;
        self.selectors.push(Selector {
            at,
            matchers,
            shift,
            finds_resets: self.in_statistics,
            range,
        });
        Ok((at, self.selectors.len() - 1))
    }

    fn matchers(
        &self,
        at: usize,
        name: Option<String>,
        matchers: &Matchers,
    ) -> Result<Arc<[Matcher]>, QueryError> {
        if !matchers.or_matchers.is_empty() {
            let message = "alternatives with `or` in a selector are not PromQL: use `or` between \
                           selectors";
            return Err(self.fault(at, message));
        }
        let wrong = |error| self.fault(at, format!("invalid matcher: {error}"));
        let named = name.map(|name| Matcher::new(METRIC_NAME, MatchOp::Equal, name));
        let others = matchers.matchers.iter().map(|matcher| {
            let op = match matcher.op {
                ParsedOp::Equal => MatchOp::Equal,
                ParsedOp::NotEqual => MatchOp::NotEqual,
                ParsedOp::Re(_) => MatchOp::Regex,
                ParsedOp::NotRe(_) => MatchOp::NotRegex,
            };
            Matcher::new(&*matcher.name, op, &*matcher.value)
        });
        named
            .into_iter()
            .chain(others)
            .collect::<Result<_, _>>()
            .map_err(wrong)
    }

    fn subquery(&mut self, subquery: SubqueryExpr) -> Result<Node, QueryError> {
        let at = self.places.here();
        let outside = std::mem::take(&mut self.in_statistics);
        let inner = self.node(*subquery.expr)?;
        self.in_statistics = outside;
        self.places.skip_suffixes();
        let step = subquery.step.map(|step| self.millis(step)).transpose()?;
        let place = self.subqueries;
        self.subqueries += 1;
        let subquery = Subquery {
            place,
            inner,
            range: self.millis(subquery.range)?,
            step: step.filter(|step| *step > 0),
            shift: self.shift(subquery.offset.as_ref(), subquery.at.as_ref())?,
        };
        let kind = Kind::Subquery(Box::new(subquery));
        Ok(Node { at, kind })
    }

    fn binary(&mut self, binary: BinaryExpr) -> Result<Node, QueryError> {
        let at = self.places.here();
        let left = self.node(*binary.lhs)?;
        let mut name = binary.op.to_string();
        let trim = format!("{name}/");
        let operator = self
            .places
            .seek(|_, word| word.eq_ignore_ascii_case(&name) || word == trim);
        let modifier = binary.modifier.unwrap_or_default();
        if self
            .text
            .get(operator..)
            .is_some_and(|text| text.starts_with(&trim))
        {
            if modifier.return_bool {
                return Err(self.fault(
                    operator,
                    "bool modifier can only be used on comparison operators",
                ));
            }
            name = trim;
        }
        self.places.skip_modifiers();
        let right = self.node(*binary.rhs)?;
        let found = Op::NAMES.iter().find(|(known, _)| *known == name);
        let Some((_, op)) = found else {
            return Err(self.fault(operator, format!("unknown operator {name:?}")));
        };
        let (many, include) = match modifier.card {
            VectorMatchCardinality::ManyToOne(labels) => (Many::Left, labels.labels),
            VectorMatchCardinality::OneToMany(labels) => (Many::Right, labels.labels),
            _ => (Many::None, Vec::new()),
        };
        let kind = Kind::Binary(Box::new(Binary {
            op: *op,
            left,
            right,
            returns_bool: modifier.return_bool,
            on: grouping(modifier.matching, false),
            many,
            include: include.into_iter().map(Into::into).collect(),
            fill: (modifier.fill_values.lhs, modifier.fill_values.rhs),
        }));
        Ok(Node { at, kind })
    }

    fn aggregate(&mut self, aggregate: AggregateExpr) -> Result<Node, QueryError> {
        let name = aggregate.op.to_string();
        let at = self.places.seek(|_, word| word.eq_ignore_ascii_case(&name));
        self.places.skip_grouping();
        self.places.symbol("(");
        let parameter = aggregate.param.map(|node| self.node(*node)).transpose()?;
        let inner = self.node(*aggregate.expr)?;
        self.places.symbol(")");
        self.places.skip_grouping();
        let found = AGGREGATIONS.iter().find(|(known, _)| *known == name);
        let Some((_, op)) = found else {
            return Err(self.fault(at, format!("unknown aggregation {name:?}")));
        };
        let kind = Kind::Aggregate(Box::new(Aggregate {
            op: *op,
            by: grouping(aggregate.modifier, true),
            parameter,
            inner,
        }));
        Ok(Node { at, kind })
    }

    fn call(&mut self, call: ParsedCall) -> Result<Node, QueryError> {
        let name = call.func.name;
        let at = self.places.seek(|_, word| word == name);
        let returns = match call.func.return_type {
            ValueType::Scalar => QueryType::Scalar,
            ValueType::Vector => QueryType::Vector,
            ValueType::Matrix => QueryType::Matrix,
            ValueType::String => QueryType::Text,
        };
        let place = self.calls.len();
        self.calls.push((name, at));
        let outside = self.in_statistics;
        self.in_statistics |= matches!(name, "histogram_count" | "histogram_sum" | "histogram_avg");
        self.places.symbol("(");
        let arguments = call.args.args.into_iter();
        let arguments = arguments.map(|argument| self.node(*argument));
        let arguments = arguments.collect::<Result<_, _>>()?;
        self.in_statistics = outside;
        self.places.symbol(")");
        let kind = Kind::Call(Box::new(Call {
            name,
            place,
            returns,
            arguments,
        }));
        Ok(Node { at, kind })
    }
}

/// Without a list, aggregations select no label, and operators all labels.
fn grouping(modifier: Option<LabelModifier>, aggregates: bool) -> Grouping {
    let names = |names: Vec<String>| names.into_iter().map(Into::into).collect();
    match modifier {
        Some(LabelModifier::Include(labels)) => Grouping::with(names(labels.labels)),
        Some(LabelModifier::Exclude(labels)) => Grouping::without(names(labels.labels)),
        None if aggregates => Grouping::with(Vec::new()),
        None => Grouping::without(Vec::new()),
    }
}
