//! Plans an expression as parts.

use super::leaf::{Leaf, Ring};
use super::shape::{Matching, Sets};
use super::work::{Groups, Work};
use super::{Map, Part};
use crate::promql::eval::arithmetic;
use crate::promql::functions::Run;
use crate::promql::parse::{Aggregate, Aggregation, Binary, Call, Kind, Node, Op, Selector, Shift};
use crate::promql::query::Query;

/// Creates the parts of expressions.
pub(super) struct Planner<'a> {
    parts: &'a mut Vec<Part>,
    known: &'a mut Map<String, usize>,
}

/// An operand of an operator.
enum Operand {
    Number(f64),
    Part(usize),
}

impl Operand {
    fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Part(_) => None,
        }
    }

    fn part(self) -> Option<usize> {
        match self {
            Self::Number(_) => None,
            Self::Part(part) => Some(part),
        }
    }
}

impl<'a> Planner<'a> {
    pub(super) fn new(parts: &'a mut Vec<Part>, known: &'a mut Map<String, usize>) -> Self {
        Self { parts, known }
    }

    /// The parts of a query, inputs first; `None` if it needs parts of other kinds.
    pub(super) fn plan(&mut self, query: &Query) -> Option<Vec<usize>> {
        let (root, selectors) = query.tree();
        let root = self.node(root, selectors)?.part()?;
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

    fn node(&mut self, node: &Node, selectors: &[Selector]) -> Option<Operand> {
        match &node.kind {
            Kind::Number(number) => Some(Operand::Number(*number)),
            Kind::Selector(place) => {
                let selector = selectors.get(*place).filter(|it| is_now(&it.shift))?;
                let says = format!("select {:?}", selector.matchers);
                let work = || Work::Select(Leaf::new(&selector.matchers));
                Some(Operand::Part(self.part(&says, Vec::new(), work)))
            }
            Kind::Negate(inner) => Some(match self.node(inner, selectors)? {
                Operand::Number(number) => Operand::Number(-number),
                Operand::Part(part) => {
                    Operand::Part(self.part("negate", vec![part], || Work::Negate))
                }
            }),
            Kind::Binary(binary) => self.binary(binary, selectors),
            Kind::Aggregate(aggregate) => self.aggregate(aggregate, selectors),
            Kind::Call(call) => self.call(call, selectors),
            Kind::Range(..) | Kind::Subquery(_) | Kind::Text(_) => None,
        }
    }

    fn binary(&mut self, binary: &Binary, selectors: &[Selector]) -> Option<Operand> {
        let left = self.node(&binary.left, selectors)?;
        let right = self.node(&binary.right, selectors)?;
        let (op, returns_bool) = (binary.op, binary.returns_bool);
        if matches!(op, Op::TrimUpper | Op::TrimLower) {
            return None;
        }
        let (part, scalar, first) = match (left, right) {
            (Operand::Number(left), Operand::Number(right)) if !op.is_comparison() => {
                return Some(Operand::Number(arithmetic(op, left, right)));
            }
            (Operand::Number(_), Operand::Number(_)) => return None,
            (Operand::Part(left), Operand::Part(right)) => {
                return self.sides(binary, left, right).map(Operand::Part);
            }
            (Operand::Part(part), Operand::Number(scalar)) => (part, scalar, false),
            (Operand::Number(scalar), Operand::Part(part)) => (part, scalar, true),
        };
        if op.is_set() {
            return None;
        }
        let says = format!("{op:?} {:x} {first} {returns_bool}", scalar.to_bits());
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

    fn aggregate(&mut self, aggregate: &Aggregate, selectors: &[Selector]) -> Option<Operand> {
        use Aggregation::{Avg, Count, Group, Max, Min, Stddev, Stdvar, Sum};
        let op = aggregate.op;
        if !matches!(op, Sum | Avg | Count | Min | Max | Group | Stddev | Stdvar) {
            return None;
        }
        let inner = self.node(&aggregate.inner, selectors)?.part()?;
        let says = format!("{op:?} {:?}", aggregate.by);
        let work = || Work::Fold {
            op,
            by: aggregate.by.clone(),
            of: Vec::new(),
            groups: Groups::new(op),
        };
        Some(Operand::Part(self.part(&says, vec![inner], work)))
    }

    fn call(&mut self, call: &Call, selectors: &[Selector]) -> Option<Operand> {
        let name = call.function.name;
        let part = match call.function.run {
            Run::Float(function) => {
                let inner = self.node(call.arguments.first()?, selectors)?.part()?;
                self.part(name, vec![inner], || Work::Map(function))
            }
            Run::Window {
                function,
                keeps_name,
            } => {
                let mut scalars = Vec::new();
                let mut range = None;
                for argument in &call.arguments {
                    if let Kind::Range(place, millis) = argument.kind {
                        let selector = selectors.get(place).filter(|it| is_now(&it.shift))?;
                        let says = format!("range {millis} {:?}", selector.matchers);
                        let work = || Work::Range(Ring::new(Leaf::new(&selector.matchers), millis));
                        range = Some(self.part(&says, Vec::new(), work));
                    } else {
                        scalars.push(self.node(argument, selectors)?.number()?);
                    }
                }
                let work = || Work::Over {
                    function,
                    keeps_name,
                    scalars: scalars.clone(),
                };
                self.part(&format!("{name} {scalars:?}"), vec![range?], work)
            }
            Run::General(_) if name == "histogram_quantile" => {
                let [q, inner] = &call.arguments[..] else {
                    return None;
                };
                let q = self.node(q, selectors)?.number()?;
                let inner = self.node(inner, selectors)?.part()?;
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
}

/// Whether the selector is evaluated at the time of the query itself.
fn is_now(shift: &Shift) -> bool {
    shift.offset == 0 && shift.fixed.is_none()
}
