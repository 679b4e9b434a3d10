//! Readers see whole observations, and no value that they have seen decreases.

mod sync {
    pub(super) use shuttle::hint::spin_loop;
    pub(super) use shuttle::sync::atomic::{AtomicU64, Ordering, fence};
}

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::sync::Arc;
use shuttle::{Config, Runner, thread};

super::shared!();

/// Random schedules; enough to find a fault in one of a few hundred.
const ORDERS: usize = 2_000;
const SEED: u64 = 3;

/// Two threads that observe twice each, in separate buckets.
fn writers(shared: &Arc<Shared>) -> [thread::JoinHandle<()>; 2] {
    [0, 1].map(|bucket| {
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            shared.observe(bucket, 1);
            shared.observe(bucket, 2);
        })
    })
}

/// Runs a model under random schedules, and under schedules with few switches.
fn explore(model: impl Fn() + Copy + Send + Sync + 'static) {
    let random = RandomScheduler::new_from_seed(SEED, ORDERS);
    Runner::new(random, Config::default()).run(model);
    let few_turns = PctScheduler::new_from_seed(SEED, 3, ORDERS);
    Runner::new(few_turns, Config::default()).run(model);
}

#[test]
fn a_reader_sees_whole_observations_and_nothing_falls() {
    let model = || {
        let shared = Shared::new();
        let writers = writers(&shared);
        let mut before = [0; 2];
        for _ in 0..3 {
            let (now, sum) = Shared::read(&shared.stripe);
            assert!(((now[0] + now[1]) as f64 - sum).abs() < 1e-9);
            assert!(before.iter().zip(&now).all(|(before, now)| before <= now));
            before = now;
        }
        for writer in writers {
            writer.join().unwrap();
        }
        let (stripe, _) = Shared::read(&shared.stripe);
        let (aside, _) = Shared::read(&shared.aside);
        assert_eq!([stripe[0] + aside[0], stripe[1] + aside[1]], [3, 3]);
    };
    explore(model);
}

#[test]
fn native_buckets_are_never_behind_and_nothing_falls() {
    let model = || {
        let shared = Shared::new();
        let writers = writers(&shared);
        let mut before = [0; 2];
        for _ in 0..3 {
            let turn = Stripe(&shared.stripe).turn();
            let now = shared.both();
            assert!(now[0] <= now[1], "{now:?}");
            assert!(before.iter().zip(&now).all(|(before, now)| before <= now));
            let same = turn.is_some() && Stripe(&shared.stripe).turn() == turn;
            if same && shared.native[1].load(Ordering::Relaxed) == 0 {
                assert_eq!(now[0], now[1], "no one wrote meanwhile");
            }
            before = now;
        }
        for writer in writers {
            writer.join().unwrap();
        }
        assert_eq!(shared.both(), [6, 6]);
    };
    explore(model);
}

#[test]
fn who_finds_it_taken_for_good_does_not_wait() {
    let scheduler = RandomScheduler::new_from_seed(SEED, 100);
    Runner::new(scheduler, Config::default()).run(|| {
        let shared = Shared::new();
        Stripe(&shared.stripe).take();
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || Shared::read(&shared.stripe))
        };
        shared.observe(0, 1);
        assert_eq!(reader.join().unwrap(), ([0, 0], 0.0));
        assert_eq!(Shared::read(&shared.aside), ([1, 0], 1.0));
    });
}
