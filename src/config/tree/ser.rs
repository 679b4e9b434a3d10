//! Serializes a typed value as a tree, so that the environment can override a builder's values.
//!
//! A tree holds the types that settings use: numbers, text, options, lists, tables with text keys,
//! structs, and unit variants.

use serde::Serialize;
use serde::ser::{self, Impossible};

use super::compound::{ListWriter, TableWriter};
use super::error::Error;
use super::{Node, Value};

/// `None` becomes [`Value::Null`], so that the tree contains every field.
pub(in crate::config) fn write<T: Serialize>(value: &T) -> Result<Node, Error> {
    value.serialize(Writer).map(Node::from)
}

pub(super) struct Writer;

macro_rules! whole_numbers {
    ($($method:ident: $number:ty,)*) => {
        $(fn $method(self, value: $number) -> Result<Value, Error> {
            Ok(Value::Int(value.into()))
        })*
    };
}

impl ser::Serializer for Writer {
    type Ok = Value;
    type Error = Error;
    type SerializeSeq = ListWriter;
    type SerializeTuple = Impossible<Value, Error>;
    type SerializeTupleStruct = Impossible<Value, Error>;
    type SerializeTupleVariant = Impossible<Value, Error>;
    type SerializeMap = TableWriter;
    type SerializeStruct = TableWriter;
    type SerializeStructVariant = Impossible<Value, Error>;

    fn serialize_bool(self, value: bool) -> Result<Value, Error> {
        Ok(Value::Bool(value))
    }

    whole_numbers! {
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
    }

    fn serialize_f32(self, value: f32) -> Result<Value, Error> {
        Ok(Value::Float(value.into()))
    }

    fn serialize_f64(self, value: f64) -> Result<Value, Error> {
        Ok(Value::Float(value))
    }

    fn serialize_char(self, value: char) -> Result<Value, Error> {
        Ok(Value::Text(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<Value, Error> {
        Ok(Value::Text(value.to_owned()))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Value, Error> {
        Err(Error::no_setting())
    }

    fn serialize_none(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Error> {
        Err(Error::no_setting())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Error> {
        Err(Error::no_setting())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, Error> {
        Ok(Value::Text(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Value, Error> {
        Err(Error::no_setting())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<ListWriter, Error> {
        Ok(ListWriter::default())
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        Err(Error::no_setting())
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        Err(Error::no_setting())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(Error::no_setting())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<TableWriter, Error> {
        Ok(TableWriter::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<TableWriter, Error> {
        Ok(TableWriter::default())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(Error::no_setting())
    }
}
