//! Label values as lookups take them: borrowed, typed, never allocated.
//!
//! A family's type names its *key*, for example `Family<Counter, (Method, Text, u16)>`; a lookup
//! takes any value with that key, for example `(Method::Get, path, 200_u16)` with a borrowed
//! `path`. [`LabelValue`] maps one value to its key, [`Labels`] a whole set.

use std::borrow::Cow;
use std::sync::Arc;

use crate::util::BoundedStr;

/// The maximum size of a label value in bytes, unless
/// [`Metrics::max_label_value`](crate::config::Metrics::max_label_value) or that of its family
/// overrides it; longer values are cut at a character boundary before lookup, so that a client
/// cannot make a scrape large.
pub const MAX_LABEL_VALUE: usize = crate::config::MAX_LABEL_VALUE;

/// The key of a label with any text value: `&str`, `String`, `Arc<str>`, `Cow<str>`, `Box<str>`,
/// and any [`Displayed`](super::Displayed) value.
#[derive(Clone, Copy, Debug)]
pub enum Text {}

/// One label value: a text (see [`Text`]), a `bool`, a whole number, a status or method of the
/// crate `http` (with one of the features `http`, `http-client` and `grpc`), an `Option` of any of
/// these, or a type of your own. For an enum, [`label_values!`](crate::label_values) writes the
/// implementation:
///
/// ```
/// selfheal::label_values! {
///     /// How large an order is.
///     pub enum Size {
///         Small = "small",
///         Large = "large",
///     }
/// }
/// ```
///
/// Such a type is *closed*: all its values are known. If every label of a family is closed and
/// there are at most 1,024 combinations, a lookup is an array index. A type that is not closed
/// implements [`visit`](LabelValue::visit) instead:
///
/// ```
/// use selfheal::registry::LabelValue;
///
/// struct Shard(String);
///
/// impl LabelValue for Shard {
///     type Key = Self;
///     fn visit(&self, visit: impl FnOnce(&str)) {
///         visit(&self.0);
///     }
/// }
/// ```
///
/// An impl with neither `VALUES` nor `visit` does not compile where it is used.
pub trait LabelValue {
    /// The type that represents this one in the type of a family: `Self` for a type without
    /// lifetimes, [`Text`] for any text.
    type Key: LabelValue + 'static;

    /// All possible texts, each once; empty if any text is possible. Default: empty.
    const VALUES: &'static [&'static str] = &[];

    /// The index of this value's text in [`VALUES`](LabelValue::VALUES). An index beyond the end
    /// denotes a separate value, the empty text. Default: beyond the end.
    #[inline]
    fn index(&self) -> usize {
        usize::MAX
    }

    /// Calls `visit` once with the value as text, which must be the one at
    /// [`index`](LabelValue::index) if there are [`VALUES`](LabelValue::VALUES). Default: that one.
    #[inline]
    fn visit(&self, visit: impl FnOnce(&str)) {
        const {
            assert!(
                !Self::VALUES.is_empty(),
                "a label value needs `VALUES` and `index`, or `visit`"
            );
        }
        visit(Self::VALUES.get(self.index()).copied().unwrap_or_default());
    }

    /// Has `visitor` visit the value: the fast form of [`visit`](LabelValue::visit).
    #[doc(hidden)]
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "every lookup begins with it")]
    fn accept(&self, visitor: &mut impl Visitor) -> bool {
        if !Self::VALUES.is_empty() {
            return visitor.closed(self.index(), Self::VALUES);
        }
        let mut goes_on = false;
        self.visit(|text| goes_on = visitor.text(text));
        goes_on
    }
}

/// Visits the values of a set until one returns false. Unlike a closure it can be inlined wherever
/// it is called.
#[doc(hidden)]
pub trait Visitor {
    /// Visits a text.
    fn text(&mut self, text: &str) -> bool;

    /// Visits the value with this index among all values of its label, or the empty text beyond the
    /// end.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "every lookup begins with it")]
    fn closed(&mut self, index: usize, values: &'static [&'static str]) -> bool {
        self.text(values.get(index).copied().unwrap_or_default())
    }
}

/// A complete set of label values, in the order of the family's label names.
///
/// Implemented for arrays of strings and for tuples of one to six [`LabelValue`]s. For a struct of
/// your own write two short impls:
///
/// ```
/// use selfheal::registry::{Family, Counter, LabelKey, Labels, Registry};
///
/// struct Sale<'a> { shop: &'a str, card: bool }
///
/// impl LabelKey for Sale<'static> {
///     type Names = [&'static str; 2];
/// }
/// impl Labels for Sale<'_> {
///     type Key = Sale<'static>;
///     fn visit(&self, visit: &mut impl FnMut(&str)) {
///         visit(self.shop);
///         visit(if self.card { "card" } else { "cash" });
///     }
/// }
///
/// # fn main() -> Result<(), selfheal::registry::DeclareError> {
/// let registry = Registry::new();
/// let sales: Family<Counter, Sale<'static>> =
///     registry.counter("sales_total", "Sales made").labels(["shop", "payment"])?;
/// sales.with(&Sale { shop: "north", card: true }).inc();
/// # Ok(())
/// # }
/// ```
pub trait Labels {
    /// The key of the families in which this set can be looked up.
    type Key: LabelKey;

    /// Calls `visit` once for each value, in order.
    fn visit(&self, visit: &mut impl FnMut(&str));

    /// The possible values of each label, in order, if all are closed; see [`LabelValue::VALUES`].
    /// Default: empty, as if one is not.
    const VALUES: &'static [&'static [&'static str]] = &[];

    /// The index of this set among all combinations of [`VALUES`](Labels::VALUES), the last label
    /// varying fastest; beyond the end if a value is not listed. Default: beyond the end.
    #[inline]
    fn place(&self) -> usize {
        usize::MAX
    }

    /// Whether `check` holds for every value, in order. Default: by [`visit`](Labels::visit).
    #[inline]
    fn all(&self, check: &mut impl FnMut(&str) -> bool) -> bool {
        let mut all = true;
        self.visit(&mut |value| all = all && check(value));
        all
    }

    /// Has `visitor` visit each value, in order, until it returns false; returns whether it never
    /// did. Default: by [`visit`](Labels::visit).
    #[doc(hidden)]
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "every lookup begins with it")]
    fn accept(&self, visitor: &mut impl Visitor) -> bool {
        let mut goes_on = true;
        self.visit(&mut |value| goes_on = goes_on && visitor.text(value));
        goes_on
    }
}

/// The key of a family: determines how many label names its declaration takes.
pub trait LabelKey: 'static {
    /// The label names: `[&'static str; N]`.
    type Names: AsRef<[&'static str]>;

    /// The possible values of each label, in order, empty for one that is not closed. Default: none
    /// is closed.
    const VALUES: &'static [&'static [&'static str]] = &[];
}

impl<const N: usize> LabelKey for [Text; N] {
    type Names = [&'static str; N];
}

impl<S: AsRef<str>, const N: usize> Labels for [S; N] {
    type Key = [Text; N];

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "every lookup begins with it")]
    fn visit(&self, visit: &mut impl FnMut(&str)) {
        for value in self {
            visit(value.as_ref());
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "every lookup begins with it")]
    fn accept(&self, visitor: &mut impl Visitor) -> bool {
        // Written out, a few values stay in registers.
        match self.as_slice() {
            [] => true,
            [a] => visitor.text(a.as_ref()),
            [a, b] => visitor.text(a.as_ref()) && visitor.text(b.as_ref()),
            [a, b, c] => {
                visitor.text(a.as_ref()) && visitor.text(b.as_ref()) && visitor.text(c.as_ref())
            }
            all => {
                for value in all {
                    if !visitor.text(value.as_ref()) {
                        return false;
                    }
                }
                true
            }
        }
    }
}

/// The key of a metric without labels.
impl LabelKey for () {
    type Names = [&'static str; 0];
}

impl Labels for () {
    type Key = ();
    #[inline]
    fn visit(&self, _: &mut impl FnMut(&str)) {}
}

/// Implements the traits for tuples, which differ only in length.
macro_rules! tuples {
    ($(($len:literal $($value:ident $at:tt)+))+) => {$(
        impl<$($value: LabelValue + 'static),+> LabelKey for ($($value,)+) {
            type Names = [&'static str; $len];
            const VALUES: &'static [&'static [&'static str]] = &[$($value::VALUES),+];
        }
        impl<$($value: LabelValue),+> Labels for ($($value,)+) {
            type Key = ($($value::Key,)+);
            const VALUES: &'static [&'static [&'static str]] = &[$($value::VALUES),+];

            #[inline]
            fn place(&self) -> usize {
                let mut place = 0;
                $(
                    let (index, values) = (self.$at.index(), $value::VALUES.len());
                    if index >= values {
                        return usize::MAX;
                    }
                    place = usize::wrapping_mul(place, values).wrapping_add(index);
                )+
                place
            }

            #[inline(always)]
            fn visit(&self, visit: &mut impl FnMut(&str)) {
                $(self.$at.visit(&mut *visit);)+
            }

            #[inline(always)]
            fn accept(&self, visitor: &mut impl Visitor) -> bool {
                $(self.$at.accept(visitor))&&+
            }
        }
    )+};
}
tuples! {
    (1 A 0)
    (2 A 0 B 1)
    (3 A 0 B 1 C 2)
    (4 A 0 B 1 C 2 D 3)
    (5 A 0 B 1 C 2 D 3 E 4)
    (6 A 0 B 1 C 2 D 3 E 4 F 5)
}

impl LabelValue for Text {
    type Key = Self;
    fn visit(&self, _: impl FnOnce(&str)) {
        match *self {}
    }
}

/// Implements the trait for types of texts.
macro_rules! texts {
    ($(<$(const $most:ident)?> $text:ty: $as_str:expr;)+) => {$(
        impl$(<const $most: usize>)? LabelValue for $text {
            type Key = Text;
            #[inline]
            fn visit(&self, visit: impl FnOnce(&str)) {
                visit($as_str(self));
            }
            #[inline(always)]
            fn accept(&self, visitor: &mut impl Visitor) -> bool {
                visitor.text($as_str(self))
            }
        }
    )+};
}
texts! {
    <> str: std::convert::identity;
    <> String: Self::as_str;
    <> Box<str>: AsRef::as_ref;
    <> Arc<str>: AsRef::as_ref;
    <> Cow<'_, str>: AsRef::as_ref;
    <const MAX> BoundedStr<MAX>: Self::as_str;
}

impl LabelValue for bool {
    type Key = Self;
    const VALUES: &'static [&'static str] = &["false", "true"];
    #[inline]
    fn index(&self) -> usize {
        usize::from(*self)
    }
}

impl<T: LabelValue + ?Sized> LabelValue for &T {
    type Key = T::Key;
    const VALUES: &'static [&'static str] = T::VALUES;
    #[inline]
    fn index(&self) -> usize {
        (**self).index()
    }
    #[inline]
    fn visit(&self, visit: impl FnOnce(&str)) {
        (**self).visit(visit);
    }
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "every lookup begins with it")]
    fn accept(&self, visitor: &mut impl Visitor) -> bool {
        (**self).accept(visitor)
    }
}

/// `None` is the empty text, which Prometheus treats as an absent label. The key is that of the
/// inner type, so that a family takes values with and without the option.
impl<T: LabelValue> LabelValue for Option<T> {
    type Key = T::Key;
    const VALUES: &'static [&'static str] = T::VALUES;
    #[inline]
    fn index(&self) -> usize {
        self.as_ref().map_or(usize::MAX, T::index)
    }
    #[inline]
    fn visit(&self, visit: impl FnOnce(&str)) {
        match self {
            Some(value) => value.visit(visit),
            None => visit(""),
        }
    }
}

/// Declares an enum whose variants are all the values of a label, each with its text, so that order
/// and texts always agree; it implements [`LabelValue`](crate::registry::LabelValue), `Clone`,
/// `Copy`, `Debug`, `PartialEq`, `Eq` and `Hash`. A lookup by such labels is an array index.
///
/// ```
/// use selfheal::registry::{Counter, DeclareError, Family, LabelValue, Registry};
///
/// selfheal::label_values! {
///     /// How a run ended.
///     pub enum Outcome {
///         /// All of it worked.
///         Passed = "passed",
///         Failed = "failed",
///     }
/// }
///
/// # fn main() -> Result<(), DeclareError> {
/// let runs: Family<Counter, (Outcome,)> =
///     Registry::new().counter("runs_total", "Runs").labels(["outcome"])?;
/// runs.inc(&(Outcome::Failed,));
/// assert_eq!(Outcome::VALUES, ["passed", "failed"]);
/// # Ok(())
/// # }
/// ```
///
/// Two variants with the same text do not compile:
///
/// ```compile_fail
/// selfheal::label_values! {
///     enum Outcome { Passed = "ended", Failed = "ended" }
/// }
/// ```
#[macro_export]
macro_rules! label_values {
    (
        $(#[$attribute:meta])*
        $visible:vis enum $name:ident {
            $($(#[$of_variant:meta])* $variant:ident = $text:literal),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $visible enum $name {
            $($(#[$of_variant])* $variant),+
        }

        impl $crate::registry::LabelValue for $name {
            type Key = Self;
            const VALUES: &'static [&'static str] = &[$($text),+];
            #[inline]
            fn index(&self) -> usize {
                *self as usize
            }
        }

        const _: () = assert!(
            $crate::registry::are_distinct(<$name as $crate::registry::LabelValue>::VALUES),
            "two variants have the same text"
        );
    };
}

/// Whether all texts are distinct; for [`label_values!`](crate::label_values).
#[doc(hidden)]
#[must_use]
pub const fn are_distinct(texts: &[&str]) -> bool {
    let mut at = 0;
    while at < texts.len() {
        let mut before = 0;
        while before < at {
            if is_same(texts[at].as_bytes(), texts[before].as_bytes()) {
                return false;
            }
            before += 1;
        }
        at += 1;
    }
    true
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// One combination of closed values, by its [place](Labels::place).
pub(super) struct Combination {
    pub(super) values: &'static [&'static [&'static str]],
    pub(super) place: usize,
}

impl Labels for Combination {
    type Key = ();

    fn visit(&self, visit: &mut impl FnMut(&str)) {
        let mut below: usize = self.values.iter().map(|values| values.len()).product();
        for values in self.values {
            below /= values.len();
            visit(values[self.place / below % values.len()]);
        }
    }
}

/// Cuts a value to at most `most` bytes at a character boundary.
#[inline]
pub(super) fn cut(value: &str, most: usize) -> &str {
    if value.len() <= most {
        value
    } else {
        cut_long(value, most)
    }
}

#[cold]
fn cut_long(value: &str, most: usize) -> &str {
    let mut end = most;
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(labels: &impl Labels) -> Vec<String> {
        let mut out = Vec::new();
        labels.visit(&mut |value| out.push(value.to_owned()));
        out
    }

    #[test]
    fn a_tuple_mixes_kinds_in_order() {
        let path = String::from("/a");
        assert_eq!(
            values(&("GET", &path, 200_u16, true)),
            ["GET", "/a", "200", "true"]
        );
        assert_eq!(values(&["x", "y"]), ["x", "y"]);
        assert!(values(&()).is_empty());
    }

    #[test]
    fn texts_that_occur_twice_are_found() {
        assert!(are_distinct(&["a", "b", "ab", ""]));
        assert!(!are_distinct(&["a", "b", "a"]));
    }

    #[test]
    fn long_values_are_cut_at_a_character() {
        let long = "ä".repeat(100);
        assert_eq!(cut(&long, 20).len(), 20);
        let odd = format!("a{long}");
        assert_eq!(cut(&odd, 20).len(), 19);
    }
}
