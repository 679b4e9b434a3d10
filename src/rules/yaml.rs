//! Parses YAML to a tree whose nodes have their line and column.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::fault::RuleFault;
use super::indented::{Indented, UNINDENTED};
use crate::promql::Place;

/// The limit of nodes of a file, including those repeated by aliases.
const NODES: usize = 1_000_000;

/// The limit of nesting; rule files need five levels.
const DEPTH: usize = 32;

/// A node and its position.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Scalar(Scalar),
    List(Arc<[Node]>),
    /// In file order, with unique keys.
    Map(Arc<[(Scalar, Node)]>),
}

/// A scalar, as a key or a value.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub(crate) place: Place,
    pub(crate) text: Arc<str>,
    /// The offset of the first character in the file, in characters.
    start: usize,
    style: ScalarStyle,
}

impl Scalar {
    /// Whether it is `null`, `~` or empty.
    pub(crate) fn is_null(&self) -> bool {
        self.style == ScalarStyle::Plain
            && matches!(&*self.text, "" | "~" | "null" | "Null" | "NULL")
    }

    /// The position in the file `source` of a byte of the text, for any scalar style: non-blank
    /// characters have the same order in both.
    pub(crate) fn place_of(&self, source: &str, at: usize) -> Place {
        let end = self.text.trim_end().len();
        if at >= end && end > 0 {
            // Just after the last character.
            let last = self.text[..end].char_indices().next_back();
            let Place { line, column } = self.place_of(source, last.map_or(0, |(at, _)| at));
            let column = column + 1;
            return Place { line, column };
        }
        let before = self.text.char_indices().take_while(|(i, _)| *i < at);
        let mut ahead = before.filter(|(_, c)| !c.is_whitespace()).count();
        let (mut line, mut column) = (self.place.line, self.place.column);
        let mut rest = source.chars().skip(self.start).peekable();
        let mut step = |c: char| {
            let place = Place { line, column };
            (line, column) = if c == '\n' {
                (line + 1, 1)
            } else {
                (line, column + 1)
            };
            place
        };
        // For `|` and `>` it begins at the text.
        if matches!(
            self.style,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted
        ) && let Some(quote) = rest.next()
        {
            step(quote);
        }
        while let Some(c) = rest.next() {
            let place = step(c);
            let twin = match (self.style, c) {
                (ScalarStyle::DoubleQuoted, '\\') => rest.next(),
                (ScalarStyle::SingleQuoted, '\'') => rest.next_if_eq(&'\''),
                _ => None,
            };
            if let Some(twin) = twin {
                step(twin);
            }
            let blank = match twin {
                Some(escaped) if c == '\\' => escaped.is_whitespace() || "ntr".contains(escaped),
                _ => c.is_whitespace(),
            };
            match (blank, ahead) {
                (true, _) => {}
                (false, 0) => return place,
                (false, _) => ahead -= 1,
            }
        }
        self.place
    }
}

/// Parses the single document of a text; `None` if it is empty.
pub(crate) fn read(source: &str) -> Result<Option<Node>, RuleFault> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut source = Indented::new(source);
    loop {
        let mut reader = Reader::new(&source);
        let found = reader.document();
        let unindented = reader.unindented;
        match unindented {
            Some(at) if source.indent(at) => {}
            _ => return found,
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    source: &'a Indented<'a>,
    /// The node of each anchor, and its number of nodes.
    anchors: Vec<(usize, Node, usize)>,
    nodes: usize,
    /// The start of the quoted scalar with the fault, in characters, if it is not indented enough.
    unindented: Option<usize>,
}

fn place(span: Span) -> Place {
    Place {
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

impl<'a> Reader<'a> {
    fn new(source: &'a Indented<'a>) -> Self {
        Self {
            parser: Parser::new_from_str(&source.text),
            source,
            anchors: Vec::new(),
            nodes: 0,
            unindented: None,
        }
    }

    fn document(&mut self) -> Result<Option<Node>, RuleFault> {
        let mut found = None;
        while let Some((event, span)) = self.next()? {
            match event {
                Event::DocumentStart(_) if found.is_some() => {
                    return Err(RuleFault::new(
                        place(span),
                        "a second document begins here",
                        "move all groups into the first: Prometheus reads no other",
                    ));
                }
                Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::Nothing => {}
                event => found = Some(self.node(event, span, 0)?),
            }
        }
        Ok(found)
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, RuleFault> {
        self.parser.next_event().transpose().map_err(|error| {
            let at = error.marker();
            if error.info() == UNINDENTED {
                self.unindented = Some(at.index());
            }
            let place = Place {
                line: at.line(),
                column: at.col() + 1,
            };
            RuleFault::new(
                place,
                format!("it is not YAML: {}", error.info()),
                "correct it",
            )
        })
    }

    fn more(&mut self, nodes: usize, at: Place) -> Result<(), RuleFault> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= NODES {
            return Ok(());
        }
        let problem = format!("the file has more than {NODES} values, including aliases");
        Err(RuleFault::new(at, problem, "split it into several files"))
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, RuleFault> {
        let at = place(span);
        self.more(1, at)?;
        if depth > DEPTH {
            let problem = format!("it is nested more than {DEPTH} levels deep");
            return Err(RuleFault::new(at, problem, "rule files need five levels"));
        }
        let before = self.nodes;
        let (anchor, kind) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let scalar = Scalar {
                    place: at,
                    text: Arc::from(&*text),
                    start: self.source.original(span.start.index()),
                    style,
                };
                (anchor, Kind::Scalar(scalar))
            }
            Event::SequenceStart(anchor, _) => (anchor, Kind::List(self.list(depth)?)),
            Event::MappingStart(anchor, _) => (anchor, Kind::Map(self.map(depth)?)),
            Event::Alias(anchor) => {
                let known = self.anchors.iter().rev().find(|(id, ..)| *id == anchor);
                let Some((_, node, nodes)) = known else {
                    return Err(RuleFault::new(
                        at,
                        "this alias refers to a value that contains it",
                        "write the value out",
                    ));
                };
                let (node, nodes) = (node.clone(), *nodes);
                self.more(nodes, at)?;
                return Ok(node);
            }
            _ => return Err(RuleFault::new(at, "a value is missing here", "add it")),
        };
        let node = Node { place: at, kind };
        if anchor > 0 {
            let nodes = self.nodes - before + 1;
            self.anchors.push((anchor, node.clone(), nodes));
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Arc<[Node]>, RuleFault> {
        let mut list = Vec::new();
        while let Some((event, span)) = self.next()? {
            if event == Event::SequenceEnd {
                break;
            }
            list.push(self.node(event, span, depth + 1)?);
        }
        Ok(list.into())
    }

    fn map(&mut self, depth: usize) -> Result<Arc<[(Scalar, Node)]>, RuleFault> {
        let mut map: Vec<(Scalar, Node)> = Vec::new();
        let mut lines: HashMap<Arc<str>, usize> = HashMap::new();
        let mut merged = Vec::new();
        while let Some((event, span)) = self.next()? {
            if event == Event::MappingEnd {
                break;
            }
            let key = self.node(event, span, depth + 1)?;
            let Kind::Scalar(key) = key.kind else {
                return Err(RuleFault::new(
                    key.place,
                    "a key is a list or a map",
                    "give it a name",
                ));
            };
            let Some((event, span)) = self.next()? else {
                break;
            };
            let value = self.node(event, span, depth + 1)?;
            if let Some(line) = lines.insert(Arc::clone(&key.text), key.place.line) {
                let problem = format!("`{}` is already set in line {line}", key.text);
                return Err(RuleFault::new(key.place, problem, "set it once"));
            }
            if &*key.text == "<<" && key.style == ScalarStyle::Plain {
                merged.push(value);
            } else {
                map.push((key, value));
            }
        }
        for node in &merged {
            merge(&mut map, &mut lines, node);
        }
        Ok(map.into())
    }
}

/// Adds the entries of a `<<` that the map does not have itself.
fn merge(map: &mut Vec<(Scalar, Node)>, lines: &mut HashMap<Arc<str>, usize>, from: &Node) {
    match &from.kind {
        Kind::Map(entries) => {
            for (key, value) in entries.iter() {
                if !lines.contains_key(&key.text) {
                    lines.insert(Arc::clone(&key.text), key.place.line);
                    map.push((key.clone(), value.clone()));
                }
            }
        }
        Kind::List(nodes) => nodes.iter().for_each(|node| merge(map, lines, node)),
        Kind::Scalar(_) => {}
    }
}
