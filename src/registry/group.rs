use std::any::TypeId;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Registry;
use super::error::DeclareError;
use crate::util::Clock;

/// A set of related metrics: a plain struct whose fields are the handles and families, and whose
/// constructor declares each by its full literal name.
///
/// ```
/// use selfheal::registry::{Counter, DeclareError, Family, Group, Histogram, Registry, Text};
///
/// struct Checkout {
///     orders: Family<Counter, [Text; 1]>,
///     basket: Histogram,
/// }
///
/// impl Group for Checkout {
///     const NAME: &'static str = "checkout";
///
///     fn declare(registry: &Registry) -> Result<Self, DeclareError> {
///         Ok(Self {
///             orders: registry
///                 .counter("checkout_orders_total", "Orders placed, by payment method")
///                 .labels(["payment"])?,
///             basket: registry
///                 .histogram("checkout_basket_usd", "Value of a basket")
///                 .buckets(&[5.0, 20.0, 100.0, 500.0])
///                 .build()?,
///         })
///     }
/// }
///
/// # fn main() -> Result<(), DeclareError> {
/// let registry = Registry::new();
/// let checkout = registry.group::<Checkout>()?;
/// checkout.orders.inc(&["card"]);
/// checkout.basket.observe(42.0);
/// # Ok(())
/// # }
/// ```
///
/// A group costs nothing until its first use; later calls return the same metrics.
pub trait Group: Send + Sync + Sized + 'static {
    /// The name of the group in the catalogue.
    const NAME: &'static str;

    /// Declares every metric of the group.
    ///
    /// # Errors
    /// The error of the first failing declaration.
    fn declare(registry: &Registry) -> Result<Self, DeclareError>;
}

/// Declares a [`Group`](crate::registry::Group): a struct with a field for each metric, one line
/// each, whose doc comment is its help.
///
/// ```
/// use selfheal::registry::{DeclareError, Registry};
///
/// selfheal::label_values! {
///     pub enum Payment { Card = "card", Cash = "cash" }
/// }
///
/// selfheal::group! {
///     /// Events at the tills.
///     pub struct Tills: "tills" {
///         /// Orders placed, by shop and payment
///         pub orders: Counter = "till_orders_total" ["shop", "payment": Payment] .at_most("shop", 50);
///         /// Value of a basket
///         pub basket: Histogram = "till_basket_usd" [] .buckets(&[5.0, 20.0, 100.0]);
///         /// Tills that are open
///         pub open: Gauge = "tills_open";
///     }
/// }
///
/// # fn main() -> Result<(), DeclareError> {
/// let registry = Registry::new();
/// let tills = registry.group::<Tills>()?;
/// tills.orders.inc(&("north", Payment::Card));
/// tills.basket.observe(&(), 42.0);
/// tills.open.set(3);
/// # Ok(())
/// # }
/// ```
///
/// A metric is a type of [`registry`](crate::registry), its name, and in brackets its labels, each
/// with the type of its values unless that is [`Text`](crate::registry::Text). Calls of
/// [`Declare`](crate::registry::Declare) may follow. Without brackets the field is a single series,
/// which exists from the start; with them it is a [`Family`](crate::registry::Family), initially
/// empty.
#[macro_export]
macro_rules! group {
    (
        $(#[$meta:meta])*
        $vis:vis struct $Group:ident: $group:literal {
            $(
                #[doc = $help:literal]
                $field_vis:vis $field:ident: $Metric:ident = $name:literal
                    $([$($label:literal $(: $Value:ty)?),* $(,)?])?
                    $(.$method:ident($($argument:expr),* $(,)?))*;
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $Group {
            $(
                #[doc = concat!("`", $name, "`:", $help)]
                $field_vis $field: $crate::group!(@type $Metric $([$($label $(: $Value)?),*])?),
            )*
        }

        impl $crate::registry::Group for $Group {
            const NAME: &'static str = $group;

            fn declare(
                registry: &$crate::registry::Registry,
            ) -> ::core::result::Result<Self, $crate::registry::DeclareError> {
                ::core::result::Result::Ok(Self {
                    $($field: $crate::group!(@end (
                        registry
                            .metric::<$crate::registry::$Metric>($name, $help.trim_ascii_start())
                            $(.$method($($argument),*))*
                    ) $([$($label),*])?),)*
                })
            }
        }
    };
    (@type $Metric:ident) => { $crate::registry::$Metric };
    (@type $Metric:ident [$($label:literal $(: $Value:ty)?),*]) => {
        $crate::registry::Family<
            $crate::registry::$Metric,
            ($($crate::group!(@value $label $(: $Value)?),)*),
        >
    };
    (@value $label:literal) => { $crate::registry::Text };
    (@value $label:literal: $Value:ty) => { $Value };
    (@end ($declare:expr)) => { $declare.build()? };
    (@end ($declare:expr) [$($label:literal),*]) => { $declare.labels([$($label),*])? };
}

thread_local! {
    /// The group being declared on this thread, so that declarations need not repeat it.
    static DECLARING: Cell<&'static str> = const { Cell::new("") };
}

impl Registry {
    /// The metrics of a group, declared on first use.
    ///
    /// # Errors
    /// The error of the first failing declaration. Earlier declarations of the group stay; correct
    /// the group and call this again.
    pub fn group<G: Group>(&self) -> Result<Arc<G>, DeclareError> {
        let id = TypeId::of::<G>();
        let known = self.inner.groups.get(id).map(Arc::clone);
        if let Some(Ok(group)) = known.map(Arc::downcast::<G>) {
            return Ok(group);
        }
        let _outer = Declaring::enter(G::NAME);
        let group = Arc::new(G::declare(self)?);
        let kept = self.inner.groups.keep(id, group.clone());
        Ok(kept.downcast::<G>().unwrap_or(group))
    }

    /// Declares metrics in the group `name`, for sets that are no [`Group`] because their labels
    /// are known only at run time.
    #[cfg(any(feature = "http", feature = "http-client"))]
    pub(crate) fn declare_as<T>(&self, name: &'static str, declare: impl FnOnce(&Self) -> T) -> T {
        let _outer = Declaring::enter(name);
        declare(self)
    }

    /// The metrics of a group, for code that must continue without them: a failing declaration is
    /// counted in `selfheal_collectors_skipped_total`.
    pub(crate) fn group_or_skip<G: Group>(&self) -> Option<Arc<G>> {
        let group = self.group();
        if group.is_err() {
            self.count_skipped();
        }
        group.ok()
    }

    /// The registry's clock.
    pub(crate) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Counts metrics that are not recorded because they could not be declared.
    pub(crate) fn count_skipped(&self) {
        self.inner.skipped.fetch_add(1, Ordering::Relaxed);
    }
}

/// The group being declared on this thread; empty outside of one.
pub(super) fn declaring() -> &'static str {
    DECLARING.get()
}

/// Restores the name of the outer group when dropped.
struct Declaring(&'static str);

impl Declaring {
    fn enter(name: &'static str) -> Self {
        Self(DECLARING.replace(name))
    }
}

impl Drop for Declaring {
    fn drop(&mut self) {
        DECLARING.set(self.0);
    }
}
