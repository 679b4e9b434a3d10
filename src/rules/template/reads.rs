//! What the text of a template depends on.

use super::parser::{Head, Node, Pipe, Term};

/// What a text depends on: each includes those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rules) enum Reads {
    /// Labels, and what is the same for all alerts.
    Labels,
    /// The value.
    Value,
    /// The time, or the results of queries.
    Time,
}

impl Reads {
    pub(super) fn of(nodes: &[Node]) -> Self {
        let nodes = nodes.iter().map(|node| match node {
            Node::Text(_) | Node::Break | Node::Continue => Self::Labels,
            Node::Print(pipe) => Self::pipe(pipe),
            Node::If(pipe, then, otherwise)
            | Node::With(pipe, then, otherwise)
            | Node::Range(pipe, then, otherwise) => {
                let branches = Self::of(then).max(Self::of(otherwise));
                Self::pipe(pipe).max(branches)
            }
        });
        nodes.max().unwrap_or(Self::Labels)
    }

    fn pipe(pipe: &Pipe) -> Self {
        let commands = pipe.commands.iter().map(|command| {
            let head = match &command.head {
                Head::Function(function) => Self::function(function.name),
                Head::Term(term) => Self::term(term),
            };
            let arguments = command.arguments.iter().map(Self::term).max();
            head.max(arguments.unwrap_or(Self::Labels))
        });
        commands.max().unwrap_or(Self::Labels)
    }

    fn function(name: &str) -> Self {
        match name {
            "query" | "now" => Self::Time,
            _ => Self::Labels,
        }
    }

    fn term(term: &Term) -> Self {
        match term {
            // The whole data, unless it is something else in a block, which may be in it.
            Term::Dot => Self::Value,
            Term::Variable(name) if matches!(&**name, "" | "value") => Self::Value,
            // Other variables are labels, or of pipes that count themselves.
            Term::Literal(_) | Term::Variable(_) => Self::Labels,
            Term::Function(function) => Self::function(function.name),
            Term::Pipe(pipe) => Self::pipe(pipe),
            Term::Field(of, name) => match (&**of, &**name) {
                (Term::Dot, "Labels" | "ExternalLabels" | "ExternalURL") => Self::Labels,
                (of, _) => Self::term(of),
            },
        }
    }
}
