//! Labels added by the application, with declared values.

use std::fmt;
use std::sync::Arc;

use http::Extensions;

use crate::registry::{LabelKey, Labels};
use crate::util::RequestHead;

/// The value of an added label outside the declared ones.
const OTHER: &str = "other";

/// The limit of added labels per side; together with that of values, a combination fits into one
/// number, which is cheap to compare.
pub(super) const MAX_LABELS: usize = 4;
pub(super) const MAX_VALUES: usize = 254;

/// Reads the value of a label from a request.
pub(super) type OfRequest = dyn for<'a> Fn(RequestHead<'a>) -> Option<&'a str> + Send + Sync;

/// Reads the value of a label from the extensions of a response.
pub(super) type OfResponse = dyn for<'a> Fn(&'a Extensions) -> Option<&'a str> + Send + Sync;

/// The added labels of one side, read by an `R`.
pub(super) struct Added<R: ?Sized>(Vec<Label<R>>);

struct Label<R: ?Sized> {
    name: &'static str,
    values: Arc<[Box<str>]>,
    read: Arc<R>,
}

/// The value of each label: a byte each, 0 for none, 255 for an undeclared one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Chosen(u32);

impl Added<OfRequest> {
    #[inline]
    pub(super) fn choose(&self, head: RequestHead<'_>) -> Chosen {
        self.choose_by(|read| read(head))
    }
}

impl Added<OfResponse> {
    #[inline]
    pub(super) fn choose(&self, extensions: &Extensions) -> Chosen {
        self.choose_by(|read| read(extensions))
    }
}

impl<R: ?Sized> Added<R> {
    pub(super) fn add(&mut self, name: &'static str, values: Vec<Box<str>>, read: Arc<R>) {
        self.0.push(Label {
            name,
            values: values.into(),
            read,
        });
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|label| label.name).collect()
    }

    /// The label that exceeds a limit, if any, and the problem.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str)> {
        if let Some(fifth) = self.0.get(MAX_LABELS) {
            return Some((fifth.name, "is one too many: a layer adds at most four"));
        }
        let long = self
            .0
            .iter()
            .find(|label| label.values.len() > MAX_VALUES)?;
        Some((long.name, "has more than 254 values"))
    }

    #[inline]
    fn choose_by<'a>(&self, read: impl Fn(&R) -> Option<&'a str>) -> Chosen {
        let mut chosen = 0;
        for label in &self.0 {
            chosen = chosen << 8 | u32::from(label.choose(read(&label.read)));
        }
        Chosen(chosen)
    }

    /// The label values of a combination.
    pub(super) fn values(&self, chosen: Chosen) -> Vec<&str> {
        let mut rest = chosen.0;
        let mut values: Vec<&str> = self
            .0
            .iter()
            .rev()
            .map(|label| {
                let at = rest & 0xff;
                rest >>= 8;
                label.value(at as usize)
            })
            .collect();
        values.reverse();
        values
    }
}

impl<R: ?Sized> Label<R> {
    fn choose(&self, value: Option<&str>) -> u8 {
        let Some(value) = value else { return 0 };
        let at = self.values.iter().position(|known| **known == *value);
        at.and_then(|at| u8::try_from(at + 1).ok())
            .unwrap_or(u8::MAX)
    }

    /// An empty label value means that the label is absent.
    fn value(&self, at: usize) -> &str {
        match at.checked_sub(1) {
            None => "",
            Some(at) => self.values.get(at).map_or(OTHER, |value| value),
        }
    }
}

impl<R: ?Sized> Default for Added<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R: ?Sized> Clone for Added<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R: ?Sized> Clone for Label<R> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            values: Arc::clone(&self.values),
            read: Arc::clone(&self.read),
        }
    }
}

impl<R: ?Sized> fmt::Debug for Added<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.0.iter().map(|label| (label.name, &label.values)))
            .finish()
    }
}

/// The label values of a series whose labels are known only at run time.
#[derive(Debug)]
pub(super) struct Row<'a>(Vec<&'a str>);

impl<'a> Row<'a> {
    pub(super) fn new(own: &[&'a str], request: &'a [Box<str>], response: &[&'a str]) -> Self {
        let mut values = own.to_vec();
        values.extend(request.iter().map(|value| &**value));
        values.extend(response);
        Self(values)
    }
}

impl LabelKey for Row<'static> {
    type Names = Vec<&'static str>;
}

impl Labels for Row<'_> {
    type Key = Row<'static>;

    fn visit(&self, visit: &mut impl FnMut(&str)) {
        for value in &self.0 {
            visit(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Tenant(&'static str);

    fn added() -> Added<OfResponse> {
        let mut added = Added::<OfResponse>::default();
        added.add("fixed", vec!["x".into()], Arc::new(|_| Some("x")));
        let values = vec!["a".into(), "b".into()];
        added.add(
            "tenant",
            values,
            Arc::new(|extensions| extensions.get::<Tenant>().map(|t| t.0)),
        );
        added
    }

    #[test]
    fn values_are_those_declared_or_other_or_none() {
        for (tenant, value) in [
            (Some("a"), "a"),
            (Some("b"), "b"),
            (Some("c"), OTHER),
            (None, ""),
        ] {
            let mut extensions = Extensions::new();
            if let Some(tenant) = tenant {
                extensions.insert(Tenant(tenant));
            }
            let added = added();
            let chosen = added.choose(&extensions);
            assert_eq!(added.values(chosen), ["x", value]);
        }
    }

    #[test]
    fn too_much_is_reported() {
        assert_eq!(added().fault(), None);
        let mut many = added();
        many.add("long", vec!["v".into(); 255], Arc::new(|_| None));
        assert_eq!(many.fault(), Some(("long", "has more than 254 values")));
        many.add("fourth", vec![], Arc::new(|_| None));
        many.add("fifth", vec![], Arc::new(|_| None));
        assert!(matches!(many.fault(), Some(("fifth", _))));
    }
}
