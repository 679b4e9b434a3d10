//! The faults that the crate heals in the shop, and how fast.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use selfheal::Selfheal;
use selfheal::config::{Budget, HealingPolicy};
use selfheal::healing::{Restart, TaskContext};
use selfheal::health::Status;
use tokio::time::{Instant, sleep};

use crate::mailer::{self, MailMetrics, Queue};
use crate::shop::{self, Shop};

/// How long something must stay well to count as healed; short, for a demonstration.
const SETTLE: Duration = Duration::from_secs(1);

/// The time between two detection runs when nothing hints at a fault.
const EVERY: Duration = Duration::from_millis(250);

/// The crate's defaults, but for one thing: here the same few things break over and over on
/// purpose, which flap damping, restart intensity and budgets would rightly leave to a person,
/// and the backoff would rightly put off for longer and longer.
pub(crate) fn policy() -> HealingPolicy {
    let hour = Duration::from_secs(3_600);
    let mut policy = HealingPolicy::default();
    policy.settle = SETTLE;
    policy.flap.heals = 64;
    policy.flap.window = Duration::from_secs(60);
    policy.intensity = Budget::new(10_000, hour);
    policy.budget.component = Budget::new(10_000, hour);
    policy.budget.global = Budget::new(10_000, hour);
    policy.backoff.base = Duration::from_millis(200);
    policy.backoff.cap = Duration::from_secs(1);
    policy
}

/// The catalogue is restored when its file is broken.
pub(crate) fn guard_catalogue(
    heal: &Selfheal,
    file: &Path,
    shop: &Arc<Shop>,
) -> Result<(), Box<dyn Error>> {
    let (restored, changed) = (Arc::clone(shop), Arc::clone(shop));
    heal.guard_file("config", file)
        .validate(shop::parse)
        .on_restored(move |catalogue| {
            println!("shop: the catalogue is restored");
            restored.reload(catalogue);
        })
        .on_changed(move |catalogue| changed.reload(catalogue))
        .every(EVERY)
        .install()?;
    Ok(())
}

/// The mailer is restarted when it panics or hangs.
pub(crate) fn supervise_mailer(
    heal: &Selfheal,
    queue: Queue,
    metrics: Arc<MailMetrics>,
) -> Result<(), Box<dyn Error>> {
    heal.supervise("mailer", Restart::Permanent, move |cx: TaskContext| {
        mailer::run(cx, Arc::clone(&queue), Arc::clone(&metrics))
    })
    .heartbeat(Duration::from_secs(1))
    .grace(Duration::from_millis(100))
    .install()?;
    Ok(())
}

/// The share of customers who notice when a part is down, for the health score.
pub(crate) fn say_what_they_carry(heal: &Selfheal) {
    heal.carries("config", 0.9);
    heal.carries("mailer", 0.15);
    heal.carries("supplier", 0.15);
}

/// Waits until nothing is broken any more, for at most 20 s.
pub(crate) async fn wait_until_well(heal: &Selfheal) {
    let give_up = Instant::now() + Duration::from_secs(20);
    while heal.report().status != Status::Up && Instant::now() < give_up {
        sleep(Duration::from_millis(100)).await;
    }
}
