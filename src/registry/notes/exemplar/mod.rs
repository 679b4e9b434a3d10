//! Storage of exemplars until the next scrape.
//!
//! An exemplar is taken only if the previous one was read: between two scrapes a series of a
//! counter, or a bucket of a histogram, takes one. So no clock is read, and skipping one costs a
//! relaxed load. Memory is allocated with the first one.

mod mark;
mod ring;
mod slots;

pub(super) use mark::Mark;
pub(super) use ring::Ring;
pub(in crate::registry) use slots::Slots;
