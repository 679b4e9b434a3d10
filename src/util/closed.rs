/// An enum whose variants each have a text, such as the value of a label; written by
/// `closed_set!`.
pub trait ClosedSet: Copy + 'static {
    /// All variants, in order.
    const VALUES: &'static [Self];

    /// The position in [`VALUES`](Self::VALUES).
    fn index(self) -> usize;

    /// The text of the variant.
    fn as_str(self) -> &'static str;
}

/// Declares an enum as a [`ClosedSet`], each variant with its text, so that list, order and texts
/// always agree. Adds `ALL`, `as_str` and the derives that every closed set has.
macro_rules! closed_set {
    (
        $(#[$attribute:meta])*
        $visible:vis enum $name:ident {
            $($(#[$of_variant:meta])* $variant:ident = $text:literal),+ $(,)?
        }
    ) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $(#[$attribute])*
        $visible enum $name {
            $($(#[$of_variant])* $variant),+
        }

        impl $name {
            /// All variants, in order.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$variant),+];

            /// The text of the variant, which is also its label value.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl $crate::util::ClosedSet for $name {
            const VALUES: &'static [Self] = &Self::ALL;

            fn index(self) -> usize {
                self as usize
            }

            fn as_str(self) -> &'static str {
                self.as_str()
            }
        }
    };
}

pub(crate) use closed_set;
