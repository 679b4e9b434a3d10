//! Lists and tables on their way into a tree.

use serde::{Serialize, ser};

use super::error::Error;
use super::ser::Writer;
use super::{Node, Table, Value};

/// A choice that carries a value is a table with the choice's name as its only key.
pub(super) fn wrap(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(name) => Value::Table(Table::from([(name.to_owned(), value.into())])),
        None => value,
    }
}

#[derive(Default)]
pub(super) struct ListWriter {
    variant: Option<&'static str>,
    list: Vec<Node>,
}

impl ListWriter {
    pub(super) fn of_choice(name: &'static str) -> Self {
        Self {
            variant: Some(name),
            ..Self::default()
        }
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.list.push(value.serialize(Writer)?.into());
        Ok(())
    }

    fn done(self) -> Value {
        wrap(self.variant, Value::List(self.list))
    }
}

impl ser::SerializeSeq for ListWriter {
    type Ok = Value;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Error> {
        Ok(self.done())
    }
}

impl ser::SerializeTuple for ListWriter {
    type Ok = Value;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Error> {
        Ok(self.done())
    }
}

impl ser::SerializeTupleStruct for ListWriter {
    type Ok = Value;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Error> {
        Ok(self.done())
    }
}

impl ser::SerializeTupleVariant for ListWriter {
    type Ok = Value;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Error> {
        Ok(self.done())
    }
}

#[derive(Default)]
pub(super) struct TableWriter {
    variant: Option<&'static str>,
    key: String,
    table: Table,
}

impl TableWriter {
    pub(super) fn of_choice(name: &'static str) -> Self {
        Self {
            variant: Some(name),
            ..Self::default()
        }
    }

    fn insert<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        let node = value.serialize(Writer).map_err(|error| error.below(key))?;
        self.table.insert(key.to_owned(), node.into());
        Ok(())
    }

    fn done(self) -> Value {
        wrap(self.variant, Value::Table(self.table))
    }
}

impl ser::SerializeMap for TableWriter {
    type Ok = Value;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = match key.serialize(Writer)? {
            Value::Text(key) => key,
            Value::Int(key) => key.to_string(),
            other => {
                let problem = format!("expected text as a key, found {}", other.found());
                return Err(Error::new(
                    problem,
                    "use a type of key that is written as text",
                ));
            }
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = std::mem::take(&mut self.key);
        self.insert(&key, value)
    }

    fn end(self) -> Result<Value, Error> {
        Ok(self.done())
    }
}

impl ser::SerializeStruct for TableWriter {
    type Ok = Value;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.insert(key, value)
    }

    fn end(self) -> Result<Value, Error> {
        Ok(self.done())
    }
}

impl ser::SerializeStructVariant for TableWriter {
    type Ok = Value;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.insert(key, value)
    }

    fn end(self) -> Result<Value, Error> {
        Ok(self.done())
    }
}
