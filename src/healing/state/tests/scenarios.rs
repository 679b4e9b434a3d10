//! Each guard by name.
