//! Evaluates a template within limits.

use std::sync::Arc;

use super::asking::{Asking, BYTES};
use super::error::RenderError;
use super::functions::Function;
use super::parser::{Command, Head, Node, Pipe, Term};
use super::value::Value;

/// The limit of steps of a template: nodes, calls and loop iterations.
const STEPS: usize = 20_000;

/// State of a template's evaluation.
pub(super) struct Run<'a> {
    asking: Asking<'a>,
    pub(super) out: String,
    variables: Vec<(Arc<str>, Value)>,
    steps: usize,
}

/// The way a list of nodes ended.
#[derive(PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

impl<'a> Run<'a> {
    pub(super) fn new(asking: Asking<'a>) -> Self {
        let data = &asking.data;
        let variables = vec![
            (Arc::from(""), Value::Data(Arc::clone(data))),
            (Arc::from("labels"), Value::Labels(Arc::clone(&data.labels))),
            (
                Arc::from("externalLabels"),
                Value::Labels(Arc::clone(&data.external_labels)),
            ),
            (
                Arc::from("externalURL"),
                Value::Text(Arc::clone(&data.external_url)),
            ),
            (Arc::from("value"), Value::Float(data.value)),
        ];
        Self {
            asking,
            out: String::new(),
            variables,
            steps: 0,
        }
    }

    pub(super) fn all(&mut self, nodes: &[Node]) -> Result<(), RenderError> {
        let dot = Value::Data(Arc::clone(&self.asking.data));
        self.list(nodes, &dot).map(drop)
    }

    fn step(&mut self) -> Result<(), RenderError> {
        self.steps += 1;
        if self.steps > STEPS {
            return Err(RenderError::new(format!(
                "it takes more than {STEPS} steps"
            )));
        }
        if self.out.len() > BYTES {
            return Err(RenderError::new(format!(
                "it gives more than {BYTES} bytes"
            )));
        }
        Ok(())
    }

    fn list(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, RenderError> {
        for node in nodes {
            self.step()?;
            let flow = match node {
                Node::Text(text) => {
                    self.out.push_str(text);
                    Flow::On
                }
                Node::Print(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    if pipe.variables.is_empty() {
                        value.show(&mut self.out);
                    }
                    Flow::On
                }
                Node::If(pipe, body, other) => self.branch(pipe, body, other, dot, false)?,
                Node::With(pipe, body, other) => self.branch(pipe, body, other, dot, true)?,
                Node::Range(pipe, body, other) => self.range(pipe, body, other, dot)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn branch(
        &mut self,
        pipe: &Pipe,
        body: &[Node],
        other: &[Node],
        dot: &Value,
        with: bool,
    ) -> Result<Flow, RenderError> {
        let scope = self.variables.len();
        let value = self.pipe(pipe, dot)?;
        let flow = match value.is_true() {
            true if with => self.list(body, &value),
            true => self.list(body, dot),
            false => self.list(other, dot),
        };
        self.variables.truncate(scope);
        flow
    }

    fn range(
        &mut self,
        pipe: &Pipe,
        body: &[Node],
        other: &[Node],
        dot: &Value,
    ) -> Result<Flow, RenderError> {
        let scope = self.variables.len();
        let over = self.commands(pipe, dot)?;
        let elements: Vec<(Value, Value)> = match &over {
            Value::List(values) => {
                let numbered = (0..).zip(values.iter());
                numbered
                    .map(|(i, value)| (Value::Int(i), value.clone()))
                    .collect()
            }
            Value::Labels(labels) => {
                let pairs = labels.iter();
                let pair = |(name, text): &(Arc<str>, Arc<str>)| {
                    (Value::Text(Arc::clone(name)), Value::Text(Arc::clone(text)))
                };
                pairs.map(pair).collect()
            }
            Value::Named(entries) => {
                let pairs = entries.iter();
                let pair = |(name, value): &(Arc<str>, Value)| {
                    (Value::Text(Arc::clone(name)), value.clone())
                };
                pairs.map(pair).collect()
            }
            Value::Int(count) => {
                let most = i64::try_from(STEPS).unwrap_or(i64::MAX);
                let numbers = 0..(*count).min(most);
                numbers.map(|i| (Value::Int(i), Value::Int(i))).collect()
            }
            Value::Nil => Vec::new(),
            other => {
                let problem = format!("`range` cannot go over {}", other.kind());
                return Err(RenderError::new(problem));
            }
        };
        if elements.is_empty() {
            let flow = self.list(other, dot);
            self.variables.truncate(scope);
            return flow;
        }
        for (key, value) in elements {
            self.step()?;
            match &*pipe.variables {
                [] => {}
                [one] => self.set(one, value.clone(), pipe.declares),
                [first, second, ..] => {
                    self.set(first, key, pipe.declares);
                    self.set(second, value.clone(), pipe.declares);
                }
            }
            let flow = self.list(body, &value)?;
            self.variables.truncate(scope);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn set(&mut self, name: &Arc<str>, value: Value, declare: bool) {
        let known = self
            .variables
            .iter_mut()
            .rev()
            .find(|(known, _)| known == name);
        match known {
            Some((_, known)) if !declare => *known = value,
            _ => self.variables.push((Arc::clone(name), value)),
        }
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Value) -> Result<Value, RenderError> {
        let value = self.commands(pipe, dot)?;
        for name in &pipe.variables {
            self.set(name, value.clone(), pipe.declares);
        }
        Ok(value)
    }

    fn commands(&mut self, pipe: &Pipe, dot: &Value) -> Result<Value, RenderError> {
        let mut last = None;
        for command in &pipe.commands {
            self.step()?;
            last = Some(self.command(command, last, dot)?);
        }
        Ok(last.unwrap_or(Value::Nil))
    }

    fn command(
        &mut self,
        command: &Command,
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Value, RenderError> {
        match &command.head {
            Head::Term(term) => self.term(term, dot),
            Head::Function(function) => {
                // The second argument is not evaluated if the first one decides.
                let decides = match function.name {
                    "and" => Some(false),
                    "or" => Some(true),
                    _ => None,
                };
                let mut arguments = Vec::with_capacity(command.arguments.len() + 1);
                for argument in &command.arguments {
                    let value = self.term(argument, dot)?;
                    if decides == Some(value.is_true()) {
                        return Ok(value);
                    }
                    arguments.push(value);
                }
                arguments.extend(piped);
                self.call(function, &arguments)
            }
        }
    }

    fn call(&mut self, function: &Function, arguments: &[Value]) -> Result<Value, RenderError> {
        let result = function
            .run(&mut self.asking, arguments)
            .and_then(|value| match &value {
                // Limits texts that grow in a loop.
                Value::Text(text) if text.len() > BYTES => Err("the text is too long".to_owned()),
                _ => Ok(value),
            });
        result.map_err(|problem| RenderError::new(format!("`{}`: {problem}", function.name)))
    }

    fn term(&mut self, term: &Term, dot: &Value) -> Result<Value, RenderError> {
        self.step()?;
        Ok(match term {
            Term::Dot => dot.clone(),
            Term::Literal(value) => value.clone(),
            Term::Variable(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                known.map_or(Value::Nil, |(_, value)| value.clone())
            }
            Term::Function(function) => self.call(function, &[])?,
            Term::Pipe(pipe) => self.pipe(pipe, dot)?,
            Term::Field(of, name) => {
                let of = self.term(of, dot)?;
                of.field(name).map_err(RenderError::new)?
            }
        })
    }
}
