//! The whole machine: scenarios by name, and random histories against the invariants.

mod audit;
mod driver;
mod histories;
mod ops;
mod restarts;
mod scenarios;
mod watch;
