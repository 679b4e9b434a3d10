//! The tables under thread interleavings of a model checker, as `registry::model` does for the
//! storage.
#![expect(
    clippy::duplicate_mod,
    dead_code,
    reason = "the same files over other primitives, not all of which are used here"
)]

#[path = "buckets.rs"]
mod buckets;
#[path = "table.rs"]
mod table;

use std::sync::Arc;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, thread};

use crate::catalog::Native;
use crate::registry::model::sync;
use crate::registry::snapshot::NativeBuckets;
use buckets::{Buckets, Plan};

/// So few that each thread alone exceeds them.
const MOST: u32 = 2;
const VALUES: [&[f64]; 2] = [&[1.5, 40.0, 3.0], &[1.0, 40.0, 0.1]];

fn plan() -> Native {
    Native::schema(2).max_buckets(MOST)
}

fn read(buckets: &Buckets) -> NativeBuckets {
    let mut out = NativeBuckets::default();
    buckets.read(&mut out);
    out
}

/// The result of one thread, without a checker.
fn of_one_thread() -> NativeBuckets {
    let buckets = super::Buckets::new(&super::Plan::new(&plan()), 1);
    for value in VALUES.iter().copied().flatten() {
        super::add_alone(buckets.find(*value).unwrap().count().unwrap(), 1);
    }
    let mut out = NativeBuckets::default();
    buckets.read(&mut out);
    out
}

#[test]
fn whatever_turns_threads_take_they_make_the_buckets_of_one() {
    const ORDERS: usize = 500;
    const SEED: u64 = 4;
    let want = of_one_thread();
    assert!(want.schema < 0, "they are outgrown more than once");
    let model = move || {
        let buckets = Arc::new(Buckets::new(&Plan::new(&plan()), VALUES.len()));
        let writers = [0, 1].map(|column| {
            let buckets = Arc::clone(&buckets);
            thread::spawn(move || {
                for value in VALUES[column] {
                    let found = buckets.find(*value).unwrap();
                    table::add_alone(found.in_column(column).unwrap(), 1);
                }
            })
        });
        let mut before = read(&buckets);
        for _ in 0..2 {
            let now = read(&buckets);
            assert!(now.positive.len() <= MOST as usize, "{now:?}");
            assert!(before.count() <= now.count() && now.schema <= before.schema);
            before = now;
        }
        for writer in writers {
            writer.join().unwrap();
        }
        assert_eq!(read(&buckets), want);
    };
    let config = || {
        let mut config = Config::new();
        config.stack_size = 1 << 20;
        config
    };
    let random = RandomScheduler::new_from_seed(SEED, ORDERS);
    Runner::new(random, config()).run(model.clone());
    let few_turns = PctScheduler::new_from_seed(SEED, 3, ORDERS);
    Runner::new(few_turns, config()).run(model);
}
