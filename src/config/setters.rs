//! Constructors and setters of the sections, as tables.

/// Writes the constructor of a section, which returns the defaults, and setters that store what
/// they are given in the field of their name; each documents its default.
macro_rules! setters {
    ($part:ident { $($(#[$doc:meta])+ $field:ident: $value:ty,)+ }) => {
        impl $part {
            /// The defaults.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[$doc])+
                #[must_use]
                pub fn $field(mut self, $field: $value) -> Self {
                    self.$field = $field.into();
                    self
                }
            )+
        }
    };
}

pub(super) use setters;
