//! Serializers of lists and tables into a tree.

use serde::{Serialize, ser};

use super::error::Error;
use super::ser::Writer;
use super::{Node, Table, Value};

#[derive(Default)]
pub(super) struct ListWriter(Vec<Node>);

impl ser::SerializeSeq for ListWriter {
    type Ok = Value;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.0.push(value.serialize(Writer)?.into());
        Ok(())
    }

    fn end(self) -> Result<Value, Error> {
        Ok(Value::List(self.0))
    }
}

#[derive(Default)]
pub(super) struct TableWriter {
    key: String,
    table: Table,
}

impl TableWriter {
    fn insert<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        let node = value.serialize(Writer).map_err(|error| error.below(key))?;
        self.table.insert(key.to_owned(), node.into());
        Ok(())
    }
}

impl ser::SerializeMap for TableWriter {
    type Ok = Value;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let Value::Text(key) = key.serialize(Writer)? else {
            return Err(Error::no_setting());
        };
        self.key = key;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = std::mem::take(&mut self.key);
        self.insert(&key, value)
    }

    fn end(self) -> Result<Value, Error> {
        Ok(Value::Table(self.table))
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
        Ok(Value::Table(self.table))
    }
}
