//! The storage under thread interleavings of a model checker.
//!
//! The files of `storage` are compiled again here, with the primitives of `shuttle`: a seeded
//! scheduler switches threads at each of their operations. It explores the order of operations, and
//! does not find too weak memory orderings. A failing schedule is printed, to be replayed with
//! `shuttle::replay`.
//!
//! Other files tested in this way have a `model` beside them.

mod scenarios;
mod storage;
mod suspended;
pub(in crate::registry) mod sync;
