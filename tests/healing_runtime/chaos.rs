//! Hours of everything at once, in virtual time, from seeds: engines that panic, hang, fail and
//! lie, people who pause and mute, a disk that comes and goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use selfheal::config::{HealingPolicy, Journal, Mode};
use selfheal::healing::core::Target;
use selfheal::healing::{
    By, Context, HealError, Healing, Issue, Observation, Risk, Rule, Severity,
};

use crate::bench::{Bench, Faults, Renamed, eager, key, seconds};
use crate::disk::Disk;

const ENGINES: u32 = 8;

/// xorshift64*: the same numbers for the same seed.
#[derive(Clone)]
struct Dice(Arc<AtomicU64>);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(
            seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        )))
    }

    fn roll(&self, sides: u32) -> u32 {
        let mut x = self.0.load(SeqCst);
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0.store(x, SeqCst);
        let high = x.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        u32::try_from(high).unwrap() % sides
    }
}

fn policy() -> HealingPolicy {
    let mut policy = eager();
    policy.attempts = 1_000;
    policy.modes.destructive = Mode::Approval;
    policy
}

/// An engine whose calls all fail now and then.
fn unreliable(faults: &Faults, dice: &Dice) -> Rule {
    let (found, detects) = (faults.clone(), dice.clone());
    let (repaired, acts) = (faults.clone(), dice.clone());
    let undoes = dice.clone();
    Rule::when("unreliable", move |_: Context| {
        let what = detects.roll(20);
        assert!(what != 0, "a detector panics");
        let found = found.found();
        async move {
            match what {
                1 => std::future::pending().await,
                2 => Err(HealError::retry("could not look")),
                3 => {
                    tokio::time::sleep(seconds(3)).await;
                    Ok(found)
                }
                _ => Ok(found),
            }
        }
    })
    .run("act", move |cx: Context, issue: Issue| {
        let what = acts.roll(10);
        let repaired = repaired.clone();
        async move {
            match what {
                0 => panic!("an action panics"),
                1 => std::future::pending().await,
                2 => return Err(HealError::retry("no")),
                3 => return Ok(()),
                4 => cx.cancelled().await,
                5 => cx.blocking(|| ()).await,
                6 => tokio::time::sleep(seconds(2)).await,
                _ => {}
            }
            repaired.repair(issue.key.component.as_str());
            Ok(())
        }
    })
    .rollback(move |_: Context, _: Issue| {
        let what = undoes.roll(4);
        async move {
            match what {
                0 => panic!("a rollback panics"),
                1 => std::future::pending().await,
                _ => Ok(()),
            }
        }
    })
    .plan(|plan| plan.risk(Risk::Reversible))
}

async fn an_hour(seed: u64) {
    let (dice, disk) = (Dice::new(seed), Disk::default());
    let settings = Journal::new().max_bytes(8 << 10);
    let start = || {
        let builder = Healing::builder()
            .policy(policy())
            .journal(settings.clone());
        Bench::build(builder.store(disk.clone()))
    };
    let faults: Vec<Faults> = (0..ENGINES).map(|_| Faults::default()).collect();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let register = |bench: &Bench| {
        for (name, faults) in names.into_iter().zip(&faults) {
            let rule = unreliable(faults, &dice);
            bench.register(Renamed(name, rule));
        }
    };
    let ann = || By::Person("ann".into());
    let mut bench = start();
    register(&bench);
    for _ in 0..400 {
        tokio::time::sleep(Duration::from_millis(dice.roll(12_000).into())).await;
        let engine = dice.roll(ENGINES) as usize;
        let component = format!("{}{}", names[engine], dice.roll(3));
        let severity = Severity::ALL[dice.roll(4) as usize];
        match dice.roll(30) {
            0 => drop(bench.healing.pause(ann())),
            1 => drop(bench.healing.kill(ann())),
            2 => drop(
                bench
                    .healing
                    .mute(Target::Key(key(&component)), seconds(30), ann()),
            ),
            3 => disk.set_space(Some(0)),
            4 => disk.set_space(None),
            5 => drop(bench.healing.trigger(key(&component), ann())),
            6 => drop(bench.healing.acknowledge(key(&component), ann())),
            7 => {
                disk.set_space(None);
                bench.healing.shutdown(seconds(dice.roll(10).into())).await;
                let last = bench.scrape();
                bench = start();
                let first = bench.scrape();
                assert!(first.restored <= last.closed.sum() + last.open.sum());
                register(&bench);
            }
            8 | 9 => bench.healing.hint(names[engine]),
            10..15 => {
                drop(bench.healing.resume(ann()));
                drop(bench.healing.revive(ann()));
            }
            _ => faults[engine].set(&component, severity),
        }
        bench.scrape();
    }
    // No more faults: whatever is left can be healed, and is.
    disk.set_space(None);
    let _ = bench.healing.resume(ann());
    let _ = bench.healing.revive(ann());
    for _ in 0..2_000 {
        tokio::time::sleep(seconds(30)).await;
        bench.scrape();
        let left: usize = faults.iter().map(|faults| faults.found().len()).sum();
        if left == 0 && bench.scrape().open.sum() == 0 {
            break;
        }
        for open in bench.healing.issues() {
            let _ = bench.healing.acknowledge(open.issue.key, ann());
        }
    }
    let snapshot = bench.scrape();
    let left: Vec<Observation> = faults.iter().flat_map(Faults::found).collect();
    assert_eq!(left, [], "seed {seed}: {:#?}", bench.healing.dry_run());
    assert_eq!(
        snapshot.open.sum(),
        0,
        "seed {seed}: {:#?}",
        bench.healing.dry_run()
    );
    assert!(snapshot.attempts_started > 0 && snapshot.zombies == 0);
    let files = disk.numbers();
    assert!(files.len() <= 4, "{files:?}");
    assert!(files[0] > 4, "files were begun and let go of: {files:?}");
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_everything_at_once() {
    // For more seeds: `TEST_SEEDS=200`.
    let set = std::env::var("TEST_SEEDS").ok();
    let seeds = set.and_then(|text| text.parse().ok()).unwrap_or(3);
    for seed in 0..seeds {
        an_hour(seed).await;
    }
}
