//! TOML as a source, with the line of each value.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, SyntaxError};
use super::faults::Origin;
use super::loader::Loader;
use super::root::Config;
use super::tree::{Node, Value};

/// A bound against `/dev/zero` and the like; no configuration is that long.
const MAX_BYTES: u64 = 1024 * 1024;
/// After an error the parser guesses where to continue, so later errors are less useful.
const MAX_ERRORS: usize = 20;

impl Config {
    /// Parses and validates a TOML text; keys that it does not set have their defaults.
    ///
    /// ```
    /// use selfheal::config::{Config, ConfigError};
    ///
    /// let Err(ConfigError::Invalid(faults)) = Config::from_toml_str("http.sampel_rate = 0.5") else
    /// {
    ///     panic!("the key is misspelt");
    /// };
    /// assert_eq!(
    ///     faults.to_string(),
    ///     "http.sampel_rate (line 1): no setting has this name; did you mean `sample_rate`?",
    /// );
    /// ```
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] if it is not TOML, [`ConfigError::Invalid`] with all faults.
    pub fn from_toml_str(text: &str) -> Result<Self, ConfigError> {
        Loader::new().toml_str(text).load()
    }

    /// Parses and validates a TOML file of at most 1 MiB; keys it does not set have their defaults.
    ///
    /// To merge the environment, use a [`Loader`]: a faulty value that a variable replaces is then
    /// no fault.
    ///
    /// # Errors
    /// [`ConfigError::Io`] if it cannot be read, [`ConfigError::Syntax`] if it is not TOML,
    /// [`ConfigError::Invalid`] with all faults.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        Loader::new().file(path).load()
    }
}

impl Loader {
    /// Merges a TOML text over the sources given so far.
    pub fn toml_str(self, text: &str) -> Self {
        self.add(text, None)
    }

    /// Merges a TOML file of at most 1 MiB over the sources given so far.
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        match read(path) {
            Ok(text) => self.add(&text, Some(path)),
            Err(source) => {
                self.failed.get_or_insert_with(|| ConfigError::Io {
                    path: path.to_owned(),
                    source,
                });
                self
            }
        }
    }

    fn add(mut self, text: &str, path: Option<&Path>) -> Self {
        match parse(text) {
            Ok(node) => self.tree.merge(node),
            Err(errors) => {
                self.failed.get_or_insert_with(|| ConfigError::Syntax {
                    path: path.map(Path::to_owned),
                    errors,
                });
            }
        }
        self
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if read as u64 > MAX_BYTES {
        let problem = format!("the file is longer than {MAX_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    Ok(text)
}

impl Node {
    /// Merges `upper` over this: tables key by key, everything else is replaced.
    fn merge(&mut self, upper: Self) {
        match (&mut self.value, upper.value) {
            (Value::Table(mine), Value::Table(theirs)) => {
                self.origin = upper.origin.or(self.origin.take());
                for (key, node) in theirs {
                    match mine.get_mut(&key) {
                        Some(old) => old.merge(node),
                        None => {
                            mine.insert(key, node);
                        }
                    }
                }
            }
            (_, value) => {
                *self = Self {
                    value,
                    origin: upper.origin,
                }
            }
        }
    }
}

fn parse(text: &str) -> Result<Node, Vec<SyntaxError>> {
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(node_of_table(table.get_ref(), None, &lines));
    }
    let mut errors: Vec<SyntaxError> = errors
        .iter()
        .map(|error| {
            // At the end of the text the parser gives no position.
            let at = error.span().map_or(text.len(), |span| span.start);
            let (line, column) = lines.place(at);
            SyntaxError {
                line,
                column,
                message: error.message().to_owned(),
            }
        })
        .collect();
    errors.sort_by_key(|error| (error.line, error.column));
    // Further errors on the same line mostly follow from the first.
    errors.dedup_by_key(|error| error.line);
    errors.truncate(MAX_ERRORS);
    Err(errors)
}

fn node_of_table(table: &DeTable<'_>, origin: Option<Origin>, lines: &Lines<'_>) -> Node {
    let entries = table
        .iter()
        .map(|(key, value)| (key.get_ref().to_string(), node(value, lines)));
    Node {
        value: Value::Table(entries.collect()),
        origin,
    }
}

fn node(value: &Spanned<DeValue<'_>>, lines: &Lines<'_>) -> Node {
    let origin = Some(lines.origin(value.span()));
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            // Outside every range, so that the field reports its own.
            .map_or(Value::Int(i128::MAX), Value::Int),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map_or(Value::Float(f64::NAN), Value::Float),
        DeValue::Boolean(value) => Value::Bool(*value),
        // The quotes are missing; no field is a date.
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(list) => Value::List(list.iter().map(|value| node(value, lines)).collect()),
        DeValue::Table(table) => return node_of_table(table, origin, lines),
    };
    Node { value, origin }
}

/// Converts offsets to lines.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(breaks).collect(),
        }
    }

    /// The line and column, counted from 1.
    fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let before = self.text.get(start..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    fn origin(&self, span: Range<usize>) -> Origin {
        Origin::Line(self.place(span.start).0)
    }
}
