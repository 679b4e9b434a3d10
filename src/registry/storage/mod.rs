//! Where the series of one family live.
//!
//! A series is its labels, escaped and rendered once when it is created, and a cell that holds
//! its value. A look-up hashes the values as they come, takes a proposal from the index and
//! compares the values with the rendered text: it allocates nothing, takes no lock, and finds
//! series by value, never by hash alone. Who finds nothing takes the lock of the family, looks
//! again and creates.
//!
//! | part | job |
//! |---|---|
//! | `store` | look-up and creation |
//! | `view` | what a scrape reads |
//! | `limits` | how many series there may be |
//! | `key` | hash and comparison of label values |
//! | `text` | rendered labels |
//! | `hint` | where this thread found a series last time |
//! | `places` | where the series of a closed label set are |
//! | `index` | from hash to position |
//! | `table` | series by position |
//! | `group` | series that are allocated together, and freed when none is left |
//! | `cell` | what holds a value, and where that is |
//! | `notes` | what else is known of a series, where it is asked for |
//! | `life` | which series are in use, where idle ones expire |
//! | `remove` | removal, expiry, and moving to a new table |
//!
//! | lock | who takes it | held for |
//! |---|---|---|
//! | `writer` | who creates, removes or expires series | one series made; 128 removed; a move: the index of all that stay |
//! | `later` | who reads out or looks up by labels, where the family has moved | the copy of a pointer |
//! | `later`, to write | who moves the family | the same |
//!
//! So recording and creating wait for a scrape no longer than a copied pointer takes, and in
//! a family that never lost most of its series not at all.
//!
//! Nothing is ever written to the place of a removed series, so that a handle to it, or a
//! thread that found it just before, goes on harmlessly. A family that has lost many series
//! moves to a new table, which shares the groups that still have some; the old one is freed
//! with its last reader, the first one with the family.
//!
//! What a counter takes beside its text, in bytes:
//!
//! | bytes | for |
//! |---|---|
//! | 32 | the slot: 8 are the value, 16 point to the text, 8 say whether it is there |
//! | 4 | the hash |
//! | 3 | its share of what a group has, 48 bytes for sixteen series |
//! | 1 to 2 | where the group is |
//! | 10 to 20 | the index, half of it levels left behind, which readers may still be in |
//!
//! Notes are 8 more, in a group that has one.

mod cell;
mod group;
mod hint;
mod index;
mod key;
mod life;
mod limits;
mod notes;
mod places;
mod remove;
mod store;
mod table;
mod text;
mod view;

use super::sync;

pub(super) use cell::{Cell, Made};
pub(super) use group::Place;
pub(super) use limits::{Rules, Total};
pub(super) use notes::Notes;
pub(super) use places::Layout;
#[cfg(any(feature = "http", feature = "http-client", feature = "grpc"))]
pub(crate) use remove::removals;
pub(super) use store::Storage;
pub(super) use view::View;

/// The value of every label of the series that takes what is beyond a family's limit.
pub const OVERFLOW: &str = "__overflow__";

#[cfg(test)]
mod tests;
