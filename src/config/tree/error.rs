//! The error of a `Deserialize` implementation, which becomes a fault.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};
use serde::ser;

use crate::config::faults::{Fault, push_key};
use crate::config::suggest;

const SEE_DOCS: &str = "the documentation of `selfheal::config` lists what each key takes";

/// The problem of a key that no field has; the path names it.
pub(super) const NO_SUCH_NAME: &str = "no setting has this name";

/// An error without a path yet, or with the path of the innermost value it passed through.
#[derive(Debug)]
pub(in crate::config) struct Error {
    pub(super) problem: String,
    pub(super) hint: String,
    /// The path of the faulty value.
    pub(super) path: Option<String>,
    /// The field that the faulty value lacks.
    pub(super) missing: Option<&'static str>,
}

impl Error {
    pub(super) fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            hint: hint.into(),
            path: None,
            missing: None,
        }
    }

    /// The error of a type that a tree cannot hold; the author of the setting must fix it.
    pub(super) fn no_setting() -> Self {
        Self::new(
            "a setting cannot have this type",
            "see the types of the other settings",
        )
    }

    pub(super) fn at(mut self, path: &str) -> Self {
        self.path.get_or_insert_with(|| path.to_owned());
        self
    }

    pub(in crate::config) fn into_fault(self) -> Fault {
        let mut path = self.path.unwrap_or_default();
        if let Some(field) = self.missing {
            push_key(&mut path, field);
        }
        Fault {
            path,
            problem: self.problem,
            hint: self.hint,
            origin: None,
        }
    }

    /// Prepends `key` to the path, which a writer builds from the inside out.
    pub(super) fn below(mut self, key: &str) -> Self {
        let mut path = String::new();
        push_key(&mut path, key);
        if let Some(rest) = self.path {
            path.push('.');
            path.push_str(&rest);
        }
        self.path = Some(path);
        self
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem, self.hint)
    }
}

impl std::error::Error for Error {}

impl ser::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(message.to_string(), SEE_DOCS)
    }
}

impl de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        let message = message.to_string();
        match message.split_once("; ") {
            Some((problem, hint)) => Self::new(problem, hint),
            None => Self::new(message, SEE_DOCS),
        }
    }

    /// Never shows the value, so that `basic_auth = "user:password"` does not end up in a log.
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match unexpected {
            Unexpected::Bool(_) => "a boolean",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
            Unexpected::Float(_) => "a number with a decimal point",
            Unexpected::Char(_) | Unexpected::Str(_) => "text",
            Unexpected::Bytes(_) => "bytes",
            Unexpected::Unit | Unexpected::Option => "nothing",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a table",
            _ => "something else",
        };
        Self::new(format!("expected {expected}, found {found}"), SEE_DOCS)
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match unexpected {
            Unexpected::Bool(_)
            | Unexpected::Unsigned(_)
            | Unexpected::Signed(_)
            | Unexpected::Float(_) => {
                Self::new(format!("{unexpected} is not {expected}"), SEE_DOCS)
            }
            _ => Self::new(format!("this is not {expected}"), SEE_DOCS),
        }
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        Self::new(
            format!("expected {expected}, found {len} entries"),
            SEE_DOCS,
        )
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(
            format!("{} is not one of the choices", suggest::quote(variant)),
            suggest::hint(variant, expected, "the choices are"),
        )
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(
            NO_SUCH_NAME,
            suggest::hint(field, expected, "the keys here are"),
        )
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            missing: Some(field),
            ..Self::new("is missing", "give it a value")
        }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("`{field}` is given twice"), "keep one of them")
    }
}
