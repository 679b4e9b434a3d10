//! Parses tokens to a template's tree. Unknown names and impossible calls are faults here, so that
//! a file with them is refused when it is loaded.

use std::sync::Arc;

use super::error::TemplateError;
use super::functions::{self, Function};
use super::lexer::{Lexeme, Part, Token, parts, tokens};
use super::value::Value;

/// The limit of nesting.
const DEPTH: usize = 50;

#[derive(Debug)]
pub(super) enum Node {
    Text(Box<str>),
    Print(Pipe),
    If(Pipe, Vec<Node>, Vec<Node>),
    With(Pipe, Vec<Node>, Vec<Node>),
    Range(Pipe, Vec<Node>, Vec<Node>),
    Break,
    Continue,
}

/// Such as `$a, $b := first | second`.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    pub(super) variables: Vec<Arc<str>>,
    /// Whether the variables are declared or assigned.
    pub(super) declares: bool,
    pub(super) commands: Vec<Command>,
}

#[derive(Debug)]
pub(super) struct Command {
    /// A function, or a single term.
    pub(super) head: Head,
    pub(super) arguments: Vec<Term>,
}

#[derive(Debug)]
pub(super) enum Head {
    Function(&'static Function),
    Term(Term),
}

#[derive(Debug)]
pub(super) enum Term {
    Dot,
    Literal(Value),
    Variable(Arc<str>),
    /// A function without arguments.
    Function(&'static Function),
    Pipe(Box<Pipe>),
    Field(Box<Term>, Arc<str>),
}

struct Parser<'a> {
    parts: std::iter::Peekable<std::vec::IntoIter<Part<'a>>>,
    /// The names of the variables in scope.
    variables: Vec<Arc<str>>,
    loops: usize,
    depth: usize,
    end: usize,
}

/// The terminator of a list of nodes.
#[derive(PartialEq)]
enum End<'a> {
    Text,
    Closed,
    /// With the rest of its action.
    Else(usize, &'a str),
}

/// Parses a template with these variables in scope.
pub(super) fn parse(text: &str, known: &[&str]) -> Result<Vec<Node>, TemplateError> {
    let mut parser = Parser {
        parts: parts(text)?.into_iter().peekable(),
        variables: known.iter().map(|name| Arc::from(*name)).collect(),
        loops: 0,
        depth: 0,
        end: text.len(),
    };
    let (nodes, end, at) = parser.list()?;
    match end {
        End::Text => Ok(nodes),
        _ => Err(TemplateError::new(
            at,
            "there is no open block to end here",
            "remove the action, or begin with `if`, `range` or `with`",
        )),
    }
}

impl<'a> Parser<'a> {
    fn list(&mut self) -> Result<(Vec<Node>, End<'a>, usize), TemplateError> {
        let mut nodes = Vec::new();
        while let Some(part) = self.parts.next() {
            let (start, action) = match part {
                Part::Text(text) => {
                    nodes.push(Node::Text(text.into()));
                    continue;
                }
                Part::Action(start, action) => (start, action),
            };
            let found = tokens(start, action)?;
            let keyword = match found.first().map(|first| &first.token) {
                Some(Token::Word(word)) => word.as_str(),
                _ => "",
            };
            let mut stream = Stream::new(&found, start + action.len());
            match keyword {
                "end" => {
                    stream.next();
                    stream.finish()?;
                    return Ok((nodes, End::Closed, start));
                }
                "else" => {
                    let place = action.find("else").unwrap_or(0) + 4;
                    return Ok((nodes, End::Else(start + place, &action[place..]), start));
                }
                "if" | "with" | "range" => {
                    stream.next();
                    nodes.push(self.block(keyword, &mut stream, start)?);
                }
                "break" | "continue" if self.loops > 0 => {
                    stream.next();
                    stream.finish()?;
                    let out = keyword == "break";
                    nodes.push(if out { Node::Break } else { Node::Continue });
                }
                "break" | "continue" => {
                    let problem = format!("`{keyword}` is outside of a `range`");
                    return Err(TemplateError::new(start, problem, "remove it"));
                }
                "template" | "define" | "block" => {
                    return Err(TemplateError::new(
                        start,
                        format!("`{keyword}` is not known here"),
                        "write the text of the template where it is used",
                    ));
                }
                _ => {
                    let pipe = self.pipe(&mut stream, false)?;
                    stream.finish()?;
                    nodes.push(Node::Print(pipe));
                }
            }
        }
        Ok((nodes, End::Text, self.end))
    }

    fn deeper(&mut self, at: usize) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > DEPTH {
            let problem = format!("it is nested more than {DEPTH} levels deep");
            return Err(TemplateError::new(at, problem, "make it simpler"));
        }
        Ok(())
    }

    /// Parses the rest of `if`, `with` or `range`, up to its `end`.
    fn block(
        &mut self,
        keyword: &str,
        stream: &mut Stream<'_>,
        at: usize,
    ) -> Result<Node, TemplateError> {
        self.deeper(at)?;
        let scope = self.variables.len();
        let pipe = self.pipe(stream, keyword == "range")?;
        stream.finish()?;
        self.loops += usize::from(keyword == "range");
        let (body, end, _) = self.list()?;
        self.loops -= usize::from(keyword == "range");
        let other = match end {
            End::Closed => Vec::new(),
            End::Else(_, rest) if rest.trim().is_empty() => {
                let (other, end, at) = self.list()?;
                if end == End::Text {
                    return Err(unended(keyword, self.end));
                }
                if end != End::Closed {
                    let hint = "an `else` without condition is the last";
                    return Err(TemplateError::new(at, "a second `else`", hint));
                }
                other
            }
            // `else if …` is an `if` inside the `else`, with the same `end`.
            End::Else(start, rest) => {
                let found = tokens(start, rest)?;
                let mut stream = Stream::new(&found, start + rest.len());
                match stream.next() {
                    Some(Token::Word(word)) if word == keyword && keyword != "range" => {
                        vec![self.block(keyword, &mut stream, start)?]
                    }
                    _ => {
                        let problem = format!("this `else` is not followed by `{keyword}`");
                        return Err(TemplateError::new(start, problem, "remove it"));
                    }
                }
            }
            End::Text => return Err(unended(keyword, self.end)),
        };
        self.variables.truncate(scope);
        self.depth -= 1;
        Ok(match keyword {
            "if" => Node::If(pipe, body, other),
            "with" => Node::With(pipe, body, other),
            _ => Node::Range(pipe, body, other),
        })
    }

    fn pipe(&mut self, stream: &mut Stream<'_>, range: bool) -> Result<Pipe, TemplateError> {
        let mut pipe = Pipe::default();
        let start = stream.at;
        let mut names = Vec::new();
        while let Some(Token::Variable(name)) = stream.peek() {
            names.push(Arc::<str>::from(name.as_str()));
            stream.next();
            if stream.peek() != Some(&Token::Comma) {
                break;
            }
            stream.next();
        }
        match stream.peek() {
            Some(Token::Declare | Token::Assign) if !names.is_empty() => {
                pipe.declares = stream.next() == Some(&Token::Declare);
                if names.len() > if range { 2 } else { 1 } {
                    let problem = "too many variables are declared at once";
                    return Err(TemplateError::new(stream.offset(), problem, "declare one"));
                }
                pipe.variables = names;
            }
            // It was a value after all.
            _ => stream.at = start,
        }
        loop {
            pipe.commands
                .push(self.command(stream, pipe.commands.is_empty())?);
            if stream.peek() != Some(&Token::Pipe) {
                break;
            }
            stream.next();
        }
        // A declared variable is in scope from here on, but not in its own value.
        for name in &pipe.variables {
            if pipe.declares {
                self.variables.push(Arc::clone(name));
            } else {
                self.known(name, stream.offset())?;
            }
        }
        Ok(pipe)
    }

    fn known(&self, name: &Arc<str>, at: usize) -> Result<(), TemplateError> {
        if name.is_empty() || self.variables.contains(name) {
            return Ok(());
        }
        let known = self.variables.iter().map(|known| format!("`${known}`"));
        let known: Vec<_> = known.collect();
        Err(TemplateError::new(
            at,
            format!("the variable `${name}` is not known"),
            format!("declare it, or use one of {}", known.join(", ")),
        ))
    }

    /// Parses a function with its arguments, or a value. A piped value is an additional argument.
    fn command(&mut self, stream: &mut Stream<'_>, first: bool) -> Result<Command, TemplateError> {
        let at = stream.offset();
        let head = match stream.peek() {
            Some(Token::Word(word)) if !is_constant(word) => {
                let function = functions::find(word, at)?;
                stream.next();
                Head::Function(function)
            }
            _ => Head::Term(self.term(stream)?),
        };
        let mut arguments = Vec::new();
        while !matches!(stream.peek(), None | Some(Token::Pipe | Token::Close)) {
            let at = stream.offset();
            if !stream.spaced() {
                let hint = "write a space between two values";
                return Err(TemplateError::new(at, "two values in one word", hint));
            }
            arguments.push(self.term(stream)?);
        }
        match &head {
            Head::Term(_) if !arguments.is_empty() || !first => {
                return Err(TemplateError::new(
                    at,
                    "arguments follow a value that is not a function",
                    "begin with the name of a function",
                ));
            }
            Head::Function(_) | Head::Term(_) => {}
        }
        Ok(Command { head, arguments })
    }

    /// Parses a value with its field accesses.
    fn term(&mut self, stream: &mut Stream<'_>) -> Result<Term, TemplateError> {
        let at = stream.offset();
        let mut term = match stream.next() {
            Some(Token::Dot) => Term::Dot,
            Some(Token::Field(name)) => field(Term::Dot, name),
            Some(Token::Variable(name)) => {
                let name = Arc::from(name.as_str());
                self.known(&name, at)?;
                Term::Variable(name)
            }
            Some(Token::Text(text)) => Term::Literal(Value::text(text.as_str())),
            Some(Token::Int(number)) => Term::Literal(Value::Int(*number)),
            Some(Token::Float(number)) => Term::Literal(Value::Float(*number)),
            Some(Token::Word(word)) => match word.as_str() {
                "true" => Term::Literal(Value::Bool(true)),
                "false" => Term::Literal(Value::Bool(false)),
                "nil" => Term::Literal(Value::Nil),
                word => Term::Function(functions::find(word, at)?),
            },
            Some(Token::Open) => {
                self.deeper(at)?;
                let pipe = self.pipe(stream, false)?;
                if stream.next() != Some(&Token::Close) {
                    let hint = "close it before the action ends";
                    return Err(TemplateError::new(at, "`(` has no `)`", hint));
                }
                self.depth -= 1;
                Term::Pipe(Box::new(pipe))
            }
            _ => return Err(TemplateError::new(at, "a value is missing here", "add it")),
        };
        while let (false, Some(Token::Field(name))) = (stream.spaced(), stream.peek()) {
            term = field(term, name);
            stream.next();
        }
        Ok(term)
    }
}

fn field(of: Term, name: &str) -> Term {
    Term::Field(Box::new(of), Arc::from(name))
}

fn is_constant(word: &str) -> bool {
    matches!(word, "true" | "false" | "nil")
}

fn unended(keyword: &str, at: usize) -> TemplateError {
    TemplateError::new(at, format!("`{keyword}` has no end"), "add `{{ end }}`")
}

struct Stream<'a> {
    lexemes: &'a [Lexeme],
    at: usize,
    end: usize,
}

impl<'a> Stream<'a> {
    fn new(lexemes: &'a [Lexeme], end: usize) -> Self {
        let at = 0;
        Self { lexemes, at, end }
    }

    fn peek(&self) -> Option<&'a Token> {
        self.lexemes.get(self.at).map(|lexeme| &lexeme.token)
    }

    fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn spaced(&self) -> bool {
        self.lexemes
            .get(self.at)
            .is_some_and(|lexeme| lexeme.spaced)
    }

    fn offset(&self) -> usize {
        let lexeme = self.lexemes.get(self.at);
        lexeme.map_or(self.end, |lexeme| lexeme.at)
    }

    fn finish(&self) -> Result<(), TemplateError> {
        if self.peek().is_none() {
            return Ok(());
        }
        let hint = "remove it, or put `|` before a function that takes the value";
        Err(TemplateError::new(
            self.offset(),
            "unexpected text follows",
            hint,
        ))
    }
}
