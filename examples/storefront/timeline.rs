//! For each fault, when its alert was pending and firing, when it was acted on, and when it was
//! verified to be gone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use selfheal::Selfheal;
use selfheal::healing::{HistoryFilter, Record, What};

use crate::rules::{Acted, ActedOn};

/// So many faults are shown, the newest.
const SHOWN: usize = 12;

/// What was broken, and when, in milliseconds since 1970.
#[derive(Default)]
pub(crate) struct Broken(Mutex<Vec<(&'static str, i64)>>);

impl Broken {
    pub(crate) fn note(&self, component: &'static str) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
        self.all(|all| all.push((component, now)));
    }

    /// How often a component was broken.
    pub(crate) fn count(&self, component: &str) -> usize {
        self.all(|all| all.iter().filter(|(of, _)| *of == component).count())
    }

    fn all<T>(&self, read: impl FnOnce(&mut Vec<(&'static str, i64)>) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Prints a line for each of the newest faults.
pub(crate) async fn print(heal: &Selfheal, broken: &Broken, acted: &ActedOn) {
    let faults = broken.all(|all| all.clone());
    let Ok(healing) = heal.healing() else { return };
    println!("\nseconds after the fault until its alert was");
    println!(
        "{:<10} {:>8} {:>8} {:>9} {:>9}",
        "component", "pending", "firing", "acted on", "verified"
    );
    let acted = acted.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (at, (component, broken_at)) in faults.iter().enumerate().rev().take(SHOWN).rev() {
        let mut later = faults.iter().skip(at + 1);
        let next = later.find(|(of, _)| of == component);
        let until = next.map_or(i64::MAX, |(_, at)| *at);
        let within = |at: i64| (*broken_at..until).contains(&at).then_some(at);
        let filter = HistoryFilter::new().component(*component).limit(10_000);
        let records = healing.history(filter).await;
        // Only faults found by an alert have one.
        let found = |at: fn(&Acted) -> i64| {
            let acted = acted.iter().filter(|_| *component == "supplier");
            acted.map(at).find_map(within)
        };
        let times = [
            found(|acted| acted.pending),
            found(|acted| acted.firing),
            first(&records, within, |what| {
                matches!(what, What::AttemptStarted(_))
            }),
            first(&records, within, |what| {
                matches!(what, What::Verified { good: true, .. })
            }),
        ];
        let [pending, firing, acted_on, verified] = times.map(|at| match at {
            Some(at) => format!("{:.2}", (at - broken_at) as f64 / 1e3),
            None => "-".to_owned(),
        });
        println!("{component:<10} {pending:>8} {firing:>8} {acted_on:>9} {verified:>9}");
    }
}

/// When the first record of a kind was written, of those within a time.
fn first(
    records: &[Arc<Record>],
    within: impl Fn(i64) -> Option<i64>,
    wanted: impl Fn(&What) -> bool,
) -> Option<i64> {
    let wanted = records.iter().filter(|record| wanted(&record.what));
    let mut times = wanted.map(|record| i64::try_from(record.stamp.wall.as_millis()));
    times.find_map(|at| within(at.ok()?))
}
