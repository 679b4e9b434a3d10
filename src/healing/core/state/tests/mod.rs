//! Tests of the whole state machine: named scenarios, and random histories against the invariants.

mod audit;
mod driver;
mod histories;
mod ops;
mod restarts;
mod scenarios;
mod watch;
