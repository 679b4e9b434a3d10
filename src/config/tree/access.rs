//! serde's access to the elements of a list or the entries of a table.

use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};

use super::de::Pass;
use super::error::Error;
use super::reader::Reader;
use super::{Node, Table, Value, child_path, element_path};
use crate::config::quotes;

/// A value in the tree, or a part of a variable's text.
enum Part<'a> {
    Kept(&'a Node),
    Split(Node),
}

impl Part<'_> {
    fn split(text: &str) -> Self {
        Self::Split(Value::Variable(text.trim().to_owned()).into())
    }

    fn node(&self) -> &Node {
        match self {
            Self::Kept(node) => node,
            Self::Split(node) => node,
        }
    }
}

/// Reads the value at `path`, unless it is a variable in quotes; adds `path` to an error that has
/// none.
fn read<'de, T: DeserializeSeed<'de>>(
    seed: T,
    node: &Node,
    pass: &Pass,
    path: &str,
) -> Result<T::Value, Error> {
    if let Value::Variable(text) = &node.value
        && quotes::is_quoted(text.as_bytes())
    {
        return Err(Error::new(quotes::PROBLEM, quotes::HINT).at(path));
    }
    seed.deserialize(Reader::new(node, pass, path.to_owned()))
        .map_err(|error| error.at(path))
}

/// The parts between the commas; none for an empty text.
fn pieces(text: &str) -> impl Iterator<Item = &str> + '_ {
    let blank = text.trim().is_empty();
    text.split(',').filter(move |_| !blank)
}

/// The elements of a list.
pub(super) struct Elements<'a> {
    pass: &'a Pass,
    path: String,
    left: Box<dyn Iterator<Item = (usize, Part<'a>)> + 'a>,
}

impl<'a> Elements<'a> {
    pub(super) fn of_list(list: &'a [Node], pass: &'a Pass, path: String) -> Self {
        let left = Box::new(list.iter().map(Part::Kept).enumerate());
        Self { pass, path, left }
    }

    /// `a,b,c`
    pub(super) fn of_text(text: &'a str, pass: &'a Pass, path: String) -> Self {
        let left = Box::new(pieces(text).map(Part::split).enumerate());
        Self { pass, path, left }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        for (index, part) in &mut self.left {
            let path = element_path(&self.path, index);
            if !self.pass.is_left_out(&path) {
                return read(seed, part.node(), self.pass, &path).map(Some);
            }
        }
        Ok(None)
    }
}

/// The entries of a table.
///
/// Paths are made one by one: a reading that ends at an error gets no further.
pub(super) struct Entries<'a> {
    pass: &'a Pass,
    path: String,
    left: Box<dyn Iterator<Item = (&'a str, Part<'a>)> + 'a>,
    value: Option<(String, Part<'a>)>,
}

impl<'a> Entries<'a> {
    pub(super) fn of_table(table: &'a Table, pass: &'a Pass, path: String) -> Self {
        let left = table
            .iter()
            .map(|(key, node)| (key.as_str(), Part::Kept(node)));
        Self {
            pass,
            path,
            left: Box::new(left),
            value: None,
        }
    }

    /// Parses `a=1,b=2`; `None` if a part has no `=`.
    pub(super) fn of_text(text: &'a str, pass: &'a Pass, path: String) -> Option<Self> {
        let entries: Option<Vec<_>> = pieces(text)
            .map(|piece| piece.split_once('='))
            .map(|entry| entry.map(|(key, value)| (key.trim(), Part::split(value))))
            .collect();
        Some(Self {
            pass,
            path,
            left: Box::new(entries?.into_iter()),
            value: None,
        })
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        for (key, part) in &mut self.left {
            let path = child_path(&self.path, key);
            if self.pass.is_left_out(&path) {
                continue;
            }
            let key = seed
                .deserialize(key.into_deserializer())
                .map_err(|error: Error| error.at(&path))?;
            self.value = Some((path, part));
            return Ok(Some(key));
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((path, part)) = self.value.take() else {
            return Err(Error::new(
                "a value was read before its key",
                "report this as a fault of the type's `Deserialize`",
            ));
        };
        read(seed, part.node(), self.pass, &path)
    }
}
