//! Storage of the series of one family.
//!
//! A series is its labels, escaped and rendered once when it is created, and a cell that holds its
//! value. A lookup hashes the values in place, takes a candidate from the index and compares the
//! values with the rendered text: it does not allocate, takes no lock, and finds series by value,
//! never by hash alone. If it finds nothing, it takes the family's lock, searches again and
//! creates.
//!
//! | part | job |
//! |---|---|
//! | `store` | lookup and creation |
//! | `view` | the series seen by a scrape |
//! | `limits` | limits of series |
//! | `key` | hash and comparison of label values |
//! | `text` | rendered labels |
//! | `hint` | per-thread cache of positions |
//! | `places` | positions of a closed label set |
//! | `index` | from hash to position |
//! | `table` | series by position |
//! | `group` | series that are allocated together, and freed when none is left |
//! | `cell` | storage of a value |
//! | `notes` | creation time and exemplar of a series, if recorded |
//! | `life` | usage of series, if idle ones expire |
//! | `remove` | removal, expiry, and moving to a new table |
//!
//! | lock | taken by | held for |
//! |---|---|---|
//! | `writer` | creation, removal and expiry of series | one series created; 128 removed; a move: the index of all that stay |
//! | `later` | scrapes and lookups by labels, if the family has moved | the copy of a pointer |
//! | `later`, to write | a move of the family | the same |
//!
//! So recording and creating wait for a scrape at most while it copies a pointer, and not at all in
//! a family that never lost most of its series.
//!
//! The slot of a removed series is never reused, so a handle to it, or a thread that just found it,
//! can continue safely. A family that has lost many series moves to a new table, which shares the
//! groups that still have some; the old one is freed with its last reader, the first one with the
//! family.
//!
//! Bytes of a counter series besides its text:
//!
//! | bytes | for |
//! |---|---|
//! | 32 | the slot: 8 for the value, 16 point to the text, 8 for whether it exists |
//! | 4 | the hash |
//! | 3 | its share of the group's 48 bytes for sixteen series |
//! | 1 to 2 | the location of the group |
//! | 10 to 20 | the index, half of it old levels, which may still have readers |
//!
//! Notes take 8 more, in a group that has one.

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

/// The value of every label of the overflow series.
pub const OVERFLOW: &str = "__overflow__";

#[cfg(test)]
mod tests;
