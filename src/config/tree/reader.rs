//! serde's view of one value of the tree.

use serde::Deserializer;
use serde::de::{IntoDeserializer, Visitor};

use super::access::{Elements, Entries};
use super::de::Pass;
use super::error::Error;
use super::{Node, Value};

/// A value to deserialize, and its path.
pub(super) struct Reader<'a> {
    node: &'a Node,
    pass: &'a Pass,
    path: String,
}

/// The type that a field takes, and how to write it.
struct Wanted(&'static str, &'static str);

const BOOLEAN: Wanted = Wanted("true or false", "write `true` or `false`, without quotes");
const WHOLE: Wanted = Wanted(
    "a whole number",
    "write it without quotes and without a decimal point, such as `64`",
);
const NUMBER: Wanted = Wanted("a number", "write it without quotes, such as `0.5`");
const TEXT: Wanted = Wanted("text", "write it in quotes");
const LIST: Wanted = Wanted(
    "a list",
    "write `[…, …]`, or `…,…` in an environment variable",
);
const MAP: Wanted = Wanted(
    "a table",
    "write `key = value` for each entry, or `key=value,…` in an environment variable",
);
const SECTION: Wanted = Wanted(
    "a table",
    "set its keys one by one; an environment variable has `__` before the key",
);
const CHOICE: Wanted = Wanted("the name of a choice", "write it in quotes");

impl<'a> Reader<'a> {
    pub(super) fn new(node: &'a Node, pass: &'a Pass, path: String) -> Self {
        Self { node, pass, path }
    }

    fn unlike<T>(&self, Wanted(what, hint): &Wanted) -> Result<T, Error> {
        let found = self.node.value.found();
        Err(Error::new(format!("expected {what}, found {found}"), *hint))
    }

    fn boolean(&self) -> Result<bool, Error> {
        match &self.node.value {
            Value::Bool(value) => Ok(*value),
            Value::Variable(text) => match text.trim() {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                _ => self.unlike(&BOOLEAN),
            },
            _ => self.unlike(&BOOLEAN),
        }
    }

    fn whole<T: TryFrom<i128>>(
        &self,
        least: impl Into<i128>,
        most: impl Into<i128>,
    ) -> Result<T, Error> {
        let number = match &self.node.value {
            Value::Int(number) => *number,
            Value::Variable(text) => text.trim().parse().or_else(|_| self.unlike(&WHOLE))?,
            _ => return self.unlike(&WHOLE),
        };
        T::try_from(number).map_err(|_| {
            let (least, most) = (least.into(), most.into());
            Error::new(
                format!("{number} is outside {least}..={most}"),
                "give a number in that range",
            )
        })
    }

    fn number(&self) -> Result<f64, Error> {
        match &self.node.value {
            Value::Float(number) => Ok(*number),
            Value::Int(number) => Ok(*number as f64),
            Value::Variable(text) => text.trim().parse().or_else(|_| self.unlike(&NUMBER)),
            _ => self.unlike(&NUMBER),
        }
    }

    fn text(&self) -> Result<&'a str, Error> {
        match &self.node.value {
            Value::Text(text) | Value::Variable(text) => Ok(text),
            _ => self.unlike(&TEXT),
        }
    }

    fn elements(&self) -> Result<Elements<'a>, Error> {
        match &self.node.value {
            Value::List(list) => Ok(Elements::of_list(list, self.pass, self.path.clone())),
            Value::Variable(text) => Ok(Elements::of_text(text, self.pass, self.path.clone())),
            _ => self.unlike(&LIST),
        }
    }

    fn entries(&self) -> Result<Entries<'a>, Error> {
        match &self.node.value {
            Value::Table(table) => Ok(Entries::of_table(table, self.pass, self.path.clone())),
            Value::Variable(text) => match Entries::of_text(text, self.pass, self.path.clone()) {
                Some(entries) => Ok(entries),
                None => self.unlike(&MAP),
            },
            _ => self.unlike(&MAP),
        }
    }
}

macro_rules! whole_numbers {
    ($($method:ident: $number:ident = $visit:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.whole($number::MIN, $number::MAX)?)
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Error;

    /// For fields of several types, such as a duration: a variable is text to them.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(number) => match (u64::try_from(*number), i64::try_from(*number)) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                _ => visitor.visit_i64(self.whole(i64::MIN, u64::MAX)?),
            },
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Text(text) | Value::Variable(text) => visitor.visit_str(text),
            Value::List(_) => visitor.visit_seq(self.elements()?),
            Value::Table(_) => visitor.visit_map(self.entries()?),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.boolean()?)
    }

    whole_numbers! {
        deserialize_i8: i8 = visit_i8,
        deserialize_i16: i16 = visit_i16,
        deserialize_i32: i32 = visit_i32,
        deserialize_i64: i64 = visit_i64,
        deserialize_u8: u8 = visit_u8,
        deserialize_u16: u16 = visit_u16,
        deserialize_u32: u32 = visit_u32,
        deserialize_u64: u64 = visit_u64,
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.number()?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.number()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    /// An empty variable means "none".
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => visitor.visit_none(),
            Value::Variable(text) if text.is_empty() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(self.elements()?)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self.entries()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Value::Table(table) = &self.node.value else {
            return self.unlike(&SECTION);
        };
        for (key, node) in table {
            if !fields.contains(&key.as_str()) {
                self.pass.unknown_key(&self.path, key, node, fields);
            }
        }
        visitor.visit_map(self.entries()?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Text(name) | Value::Variable(name) => {
                visitor.visit_enum(name.as_str().into_deserializer())
            }
            _ => self.unlike(&CHOICE),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct
    }
}
