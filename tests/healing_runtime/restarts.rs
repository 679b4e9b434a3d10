//! Two runs on one machine, with the wall clock set in between.

use std::time::{Duration, SystemTime};

use selfheal::config::Budget;
use selfheal::healing::{Closed, Healing};
use selfheal::util::{Clock, ManualClock};

use crate::bench::{Bench, Faults, eager, seconds};
use crate::disk::Disk;

const DAY: Duration = Duration::from_secs(86_400);

/// The rest of a budget of 9 in ten minutes after one attempt, a restart of this length, and a wall
/// clock that was set meanwhile.
async fn left(away: Duration, set: impl FnOnce(SystemTime) -> SystemTime) -> u64 {
    let (clock, hand): (Clock, ManualClock) = Clock::manual();
    let disk = Disk::default();
    let mut policy = eager();
    policy.budget.global = Budget::new(9, seconds(600));
    let build = || {
        let builder = Healing::builder().policy(policy.clone());
        Bench::build(builder.clock(clock.clone()).store(disk.clone()))
    };
    let mut bench = build();
    bench.register(Faults::one("db").mending_rule());
    assert_eq!(bench.closed("db").await, Closed::Healed);
    assert_eq!(bench.scrape().budget_left, 8);
    bench.end().await;

    hand.advance(away);
    hand.set_wall(set(clock.wall()));
    let bench = build();
    let left = bench.scrape().budget_left;
    bench.end().await;
    left
}

#[tokio::test(start_paused = true)]
async fn a_day_back_lets_as_much_time_pass_as_passed() {
    assert_eq!(left(seconds(601), |wall| wall - DAY).await, 9);
    assert_eq!(left(seconds(300), |wall| wall - DAY).await, 8);
}

#[tokio::test(start_paused = true)]
async fn a_day_ahead_lets_no_more_time_pass_than_passed() {
    assert_eq!(left(seconds(300), |wall| wall + DAY).await, 8);
    assert_eq!(left(seconds(601), |wall| wall + DAY).await, 9);
}
