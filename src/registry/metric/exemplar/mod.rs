//! Where exemplars wait for the next scrape.
//!
//! An exemplar is taken where the one before was read, and otherwise left out: between two
//! scrapes a series of a counter, or a bucket of a histogram, takes one. So there is no clock to
//! ask, and one that is left out costs a relaxed load. Memory is made with the first one.

mod mark;
mod ring;
mod slots;

pub(super) use mark::Mark;
pub(super) use ring::Ring;
pub(super) use slots::Slots;
