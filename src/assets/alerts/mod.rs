//! The alerts, a table for each group.

mod platform;

use super::table::AlertGroup;

/// Every group, in the order of the file.
pub(super) static GROUPS: &[&AlertGroup] = &[&platform::PLATFORM];
