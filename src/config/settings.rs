//! Sections as tables: each setting stands once, with its documentation and its default.

/// Declares a section: its struct, its defaults, a constructor that returns them, and a setter for
/// each field.
///
/// The default is that of the type unless one is given after `=`. A setter takes a value of the
/// field's type, or `field(T)` a `T` that is converted to it; `field()` has no setter.
macro_rules! settings {
    (
        $(#[$meta:meta])+
        pub struct $part:ident {
            $(
                $(#[doc = $doc:expr])+
                $(#[serde($($serde:tt)+)])?
                $vis:vis $field:ident $(($($argument:ty)?))?: $type:ty $(= $default:expr)?,
            )+
        }
    ) => {
        $(#[$meta])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $part {
            $(
                $(#[doc = $doc])+
                $(#[serde($($serde)+)])?
                $vis $field: $type,
            )+
        }

        impl Default for $part {
            fn default() -> Self {
                Self {
                    $($field: settings!(@default $($default)?),)+
                }
            }
        }

        impl $part {
            /// The defaults.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            $(settings!(@setter $field $(($($argument)?))?: $type, $($doc,)+);)+
        }
    };
    (@default) => {
        Default::default()
    };
    (@default $value:expr) => {
        $value
    };
    (@setter $field:ident(): $type:ty, $($doc:expr,)+) => {};
    (@setter $field:ident($argument:ty): $type:ty, $($doc:expr,)+) => {
        #[doc = concat!("Sets `", stringify!($field), "`.")]
        #[doc = ""]
        $(#[doc = $doc])+
        #[must_use]
        pub fn $field(mut self, $field: $argument) -> Self {
            self.$field = $field.into();
            self
        }
    };
    (@setter $field:ident: $type:ty, $($doc:expr,)+) => {
        settings!(@setter $field($type): $type, $($doc,)+);
    };
}

pub(super) use settings;
