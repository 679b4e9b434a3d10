//! Plans an expression as parts.

use super::choice::Choice;
use super::leaf::{Leaf, Ring};
use super::part::Part;
use super::shape::Map;
use super::shape::{Matching, Sets};
use super::steps::Steps;
use super::work::{Groups, Scalar, Work};
use crate::promql::eval::{Function, Run, arithmetic};
use crate::promql::functions::absent_labels;
use crate::promql::parse::{
    Aggregate, Aggregation, Binary, Call, Fixed, Kind, Node, Op, Selector, Shift, Subquery,
};
use crate::promql::query::Query;

/// Creates the parts of expressions.
pub(super) struct Planner<'a> {
    parts: &'a mut Vec<Part>,
    known: &'a mut Map<String, usize>,
    /// The look-back of instant selectors, in milliseconds.
    lookback: i64,
    /// How long before the time of the query the parts are computed at the earliest, in milliseconds:
    /// zero outside of subqueries.
    lag: i64,
}

/// An expression with its selectors and functions.
#[derive(Clone, Copy)]
struct Tree<'a> {
    root: &'a Node,
    selectors: &'a [Selector],
    functions: &'a [&'static Function],
}

impl<'a> Tree<'a> {
    fn of(query: &'a Query) -> Self {
        let (parsed, functions) = query.tree();
        Self {
            root: &parsed.root,
            selectors: &parsed.selectors,
            functions,
        }
    }
}

/// An operand of an operator.
enum Operand {
    Number(f64),
    /// The time of the query, in seconds.
    Time,
    Part(usize),
}

impl Operand {
    fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Time | Self::Part(_) => None,
        }
    }

    fn part(self) -> Option<usize> {
        match self {
            Self::Number(_) | Self::Time => None,
            Self::Part(part) => Some(part),
        }
    }
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        parts: &'a mut Vec<Part>,
        known: &'a mut Map<String, usize>,
        lookback: i64,
    ) -> Self {
        Self {
            parts,
            known,
            lookback,
            lag: 0,
        }
    }

    /// The parts of a query, inputs first; `None` if it needs parts of other kinds.
    pub(super) fn plan(&mut self, query: &Query) -> Option<Vec<usize>> {
        let tree = Tree::of(query);
        let root = self.node(tree.root, tree)?.part()?;
        let mut needed = vec![root];
        let mut at = 0;
        while let Some(part) = needed.get(at).and_then(|part| self.parts.get(*part)) {
            needed.extend(&part.inputs);
            at += 1;
        }
        needed.sort_unstable();
        needed.dedup();
        Some(needed)
    }

    /// The part with this description, created if needed.
    fn part(&mut self, says: &str, inputs: Vec<usize>, work: impl FnOnce() -> Work) -> usize {
        let key = format!("{says} {inputs:?}");
        *self.known.entry(key).or_insert_with(|| {
            self.parts.push(Part::new(work(), inputs));
            self.parts.len() - 1
        })
    }

    fn node(&mut self, node: &Node, tree: Tree<'_>) -> Option<Operand> {
        match &node.kind {
            Kind::Number(number) => Some(Operand::Number(*number)),
            Kind::Selector(place) => {
                let selector = tree.selectors.get(*place)?;
                let offset = self.earlier(&selector.shift)?;
                if offset > 0 || self.lag > 0 {
                    let back = self.lookback;
                    let range = self.range(selector, back.checked_add(offset)?);
                    let says = format!("at {offset} {back}");
                    let work = || Work::Earlier { offset, back };
                    return Some(Operand::Part(self.part(&says, vec![range], work)));
                }
                let says = format!("select {:?}", selector.matchers);
                let work = || Work::Select(Leaf::new(&selector.matchers));
                Some(Operand::Part(self.part(&says, Vec::new(), work)))
            }
            Kind::Negate(inner) => Some(match self.node(inner, tree)? {
                Operand::Number(number) => Operand::Number(-number),
                Operand::Time => return None,
                Operand::Part(part) => {
                    Operand::Part(self.part("negate", vec![part], || Work::Negate))
                }
            }),
            Kind::Binary(binary) => self.binary(binary, tree),
            Kind::Aggregate(aggregate) => self.aggregate(aggregate, tree),
            Kind::Call(call) => self.call(call, tree),
            Kind::Range(..) | Kind::Subquery(_) | Kind::Text(_) => None,
        }
    }

    fn binary(&mut self, binary: &Binary, tree: Tree<'_>) -> Option<Operand> {
        let left = self.node(&binary.left, tree)?;
        let right = self.node(&binary.right, tree)?;
        let (op, returns_bool) = (binary.op, binary.returns_bool);
        if matches!(op, Op::TrimUpper | Op::TrimLower) {
            return None;
        }
        let (part, scalar, first) = match (left, right) {
            (Operand::Number(left), Operand::Number(right)) if !op.is_comparison() => {
                return Some(Operand::Number(arithmetic(op, left, right)));
            }
            (Operand::Part(left), Operand::Part(right)) => {
                return self.sides(binary, left, right).map(Operand::Part);
            }
            (Operand::Part(part), Operand::Number(scalar)) => (part, Scalar::Number(scalar), false),
            (Operand::Number(scalar), Operand::Part(part)) => (part, Scalar::Number(scalar), true),
            (Operand::Part(part), Operand::Time) => (part, Scalar::Time, false),
            (Operand::Time, Operand::Part(part)) => (part, Scalar::Time, true),
            (Operand::Number(_) | Operand::Time, Operand::Number(_) | Operand::Time) => {
                return None;
            }
        };
        if op.is_set() {
            return None;
        }
        let says = format!("{op:?} {scalar:?} {first} {returns_bool}");
        let work = || Work::Scalar {
            op,
            scalar,
            first,
            returns_bool,
        };
        Some(Operand::Part(self.part(&says, vec![part], work)))
    }

    fn sides(&mut self, binary: &Binary, left: usize, right: usize) -> Option<usize> {
        let (op, returns_bool) = (binary.op, binary.returns_bool);
        if binary.fill.0.is_some() || binary.fill.1.is_some() {
            return None;
        }
        let inputs = vec![left, right];
        if op.is_set() {
            let says = format!("{op:?} {:?}", binary.on);
            let on = binary.on.clone();
            let sets = Sets::default();
            return Some(self.part(&says, inputs, || Work::Set { op, on, sets }));
        }
        let matching = Matching {
            on: binary.on.clone(),
            many: binary.many,
            include: binary.include.clone(),
        };
        let says = format!("{op:?} {returns_bool} {matching:?}");
        let work = || Work::Pair {
            op,
            returns_bool,
            matching,
            pairs: Vec::new(),
        };
        Some(self.part(&says, inputs, work))
    }

    /// The part with the samples of a selector over a range in milliseconds.
    fn range(&mut self, selector: &Selector, range: i64) -> usize {
        let range = range.saturating_add(self.lag);
        let says = format!("range {range} {:?}", selector.matchers);
        let work = || Work::Range(Ring::new(Leaf::new(&selector.matchers), range));
        self.part(&says, Vec::new(), work)
    }

    /// The part with the values of a subquery, the range, and the offset.
    fn steps(&mut self, subquery: &Subquery, tree: Tree<'_>) -> Option<(usize, i64, i64)> {
        if self.lag > 0 {
            return None;
        }
        let (range, offset) = (subquery.range, self.earlier(&subquery.shift)?);
        let (mut parts, mut known) = (Vec::new(), Map::default());
        let mut planner = Planner {
            parts: &mut parts,
            known: &mut known,
            lookback: self.lookback,
            lag: range.checked_add(offset)?,
        };
        planner.node(&subquery.inner, tree)?.part()?;
        let mut says: Vec<_> = known.into_iter().collect();
        says.sort_unstable_by_key(|(_, at)| *at);
        let says = format!("steps {range} {:?} {offset} {says:?}", subquery.step);
        let work = || Work::Steps(Steps::new(range, subquery.step, offset));
        let at = self.part(&says, Vec::new(), work);
        if let Some(part) = self.parts.get_mut(at)
            && part.inner.is_empty()
        {
            part.inner = parts;
        }
        Some((at, range, offset))
    }

    fn aggregate(&mut self, aggregate: &Aggregate, tree: Tree<'_>) -> Option<Operand> {
        use Aggregation::{Avg, Bottomk, Count, Group, Max, Min, Stddev, Stdvar, Sum, Topk};
        let op = aggregate.op;
        if matches!(op, Topk | Bottomk) {
            let count = self.node(aggregate.parameter.as_ref()?, tree)?.number()?;
            // Other counts select nothing, or are errors.
            let count = (1.0..1e9).contains(&count).then_some(count)?;
            let inner = self.node(&aggregate.inner, tree)?.part()?;
            let says = format!("{op:?} {count} {:?}", aggregate.by);
            let work = || Work::Choose(Choice::new(op == Topk, count, aggregate.by.clone()));
            return Some(Operand::Part(self.part(&says, vec![inner], work)));
        }
        if !matches!(op, Sum | Avg | Count | Min | Max | Group | Stddev | Stdvar) {
            return None;
        }
        let inner = self.node(&aggregate.inner, tree)?.part()?;
        let says = format!("{op:?} {:?}", aggregate.by);
        let work = || Work::Fold {
            op,
            by: aggregate.by.clone(),
            of: Vec::new(),
            groups: Groups::new(op),
        };
        Some(Operand::Part(self.part(&says, vec![inner], work)))
    }

    /// The part with the samples of a range, the range, and the offset.
    fn window(&mut self, node: &Node, tree: Tree<'_>) -> Option<(usize, i64, i64)> {
        let (place, range) = match &node.kind {
            Kind::Range(place, range) => (*place, *range),
            Kind::Subquery(subquery) => return self.steps(subquery, tree),
            _ => return None,
        };
        let selector = tree.selectors.get(place)?;
        let offset = self.earlier(&selector.shift)?;
        Some((
            self.range(selector, range.checked_add(offset)?),
            range,
            offset,
        ))
    }

    fn call(&mut self, call: &Call, tree: Tree<'_>) -> Option<Operand> {
        let name = call.name;
        let part = match tree.functions.get(call.place)?.run {
            Run::Float(function) => {
                let inner = self.node(call.arguments.first()?, tree)?.part()?;
                self.part(name, vec![inner], || Work::Map(function))
            }
            Run::Window {
                function,
                keeps_name,
            } => {
                let mut scalars = Vec::new();
                let mut range = None;
                for argument in &call.arguments {
                    if let Kind::Range(..) | Kind::Subquery(_) = argument.kind {
                        range = Some(self.window(argument, tree)?);
                    } else {
                        scalars.push(self.node(argument, tree)?.number()?);
                    }
                }
                let (input, range, offset) = range?;
                let work = || Work::Over {
                    function,
                    keeps_name,
                    scalars: scalars.clone(),
                    range,
                    offset,
                };
                let says = format!("{name} {range} {offset} {scalars:?}");
                self.part(&says, vec![input], work)
            }
            Run::General(_) if name == "absent" || name == "absent_over_time" => {
                let [argument] = &call.arguments[..] else {
                    return None;
                };
                let matchers = match argument.kind {
                    Kind::Selector(place) | Kind::Range(place, _) => {
                        &*tree.selectors.get(place)?.matchers
                    }
                    _ => &[],
                };
                let labels = absent_labels(matchers);
                let (input, times) = if matches!(argument.kind, Kind::Range(..)) {
                    let (input, range, offset) = self.window(argument, tree)?;
                    (input, Some((range, offset)))
                } else {
                    (self.node(argument, tree)?.part()?, None)
                };
                let says = format!("absent {labels} {times:?}");
                self.part(&says, vec![input], || Work::Absent { labels, times })
            }
            Run::General(_) if name == "time" => return Some(Operand::Time),
            Run::General(_) if name == "histogram_quantile" => {
                let [q, inner] = &call.arguments[..] else {
                    return None;
                };
                let q = self.node(q, tree)?.number()?;
                let inner = self.node(inner, tree)?.part()?;
                let work = || Work::Quantile {
                    q,
                    bounds: Vec::new(),
                    buckets: Vec::new(),
                };
                self.part(&format!("quantile {:x}", q.to_bits()), vec![inner], work)
            }
            Run::General(_) => return None,
        };
        Some(Operand::Part(part))
    }

    /// The offset into the past, in milliseconds; `None` for a later or a fixed time. An instant query
    /// starts and ends at its time, which is not that of a subquery's steps.
    fn earlier(&self, shift: &Shift) -> Option<i64> {
        let is_fixed = match shift.fixed {
            None => false,
            Some(Fixed::Start | Fixed::End) => self.lag > 0,
            Some(Fixed::At(_)) => true,
        };
        (shift.offset >= 0 && !is_fixed).then_some(shift.offset)
    }
}
