//! The storage under every order of its threads that a checker thinks of.
//!
//! The files of `storage` are compiled once more here, on the primitives of `shuttle`: its
//! threads take turns at each of their operations, as a seeded scheduler decides. What is
//! searched are the orders of operations; that an ordering of memory is too weak it does not
//! find. A schedule that fails is printed, to be replayed with `shuttle::replay`.
//!
//! Other files that are tried in this way have a `model` beside them.

mod scenarios;
mod storage;
mod suspended;
pub(in crate::registry) mod sync;
