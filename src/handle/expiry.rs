use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::registry::Registry;
use crate::util::Clock;

/// Keeps the thread that removes idle series running. When dropped, the thread ends, after the
/// check in progress if any.
pub(super) struct Expiry {
    /// Never sent to; dropping it stops the thread.
    _stop: Sender<()>,
}

/// Removes idle series on a thread of its own, started with the first family whose series expire.
pub(super) fn start(registry: &Registry, clock: &Clock) -> Expiry {
    let (stop, stopped) = channel();
    let clock = clock.clone();
    registry.when_expiring(move |registry| {
        let ours = registry.clone();
        let run = move || {
            run(&ours, &clock, |interval| {
                stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout)
            });
        };
        let thread = thread::Builder::new().name("selfheal-expiry".to_owned());
        // The caller that declares a metric cannot handle a failure to start a thread.
        if thread.spawn(run).is_err() {
            registry.count_skipped();
        }
    });
    Expiry { _stop: stop }
}

/// Removes idle series after each `wait`, until it returns false.
fn run(registry: &Registry, clock: &Clock, mut wait: impl FnMut(Duration) -> bool) {
    while let Some(interval) = registry.expiry_interval() {
        if !wait(interval) {
            return;
        }
        registry.expire(clock.now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Counter, Family, Text};

    fn family(registry: &Registry, name: &'static str, seconds: u64) -> Family<Counter, [Text; 1]> {
        registry
            .counter(name, "")
            .expire_after(Duration::from_secs(seconds))
            .labels(["a"])
            .unwrap()
    }

    #[test]
    fn idle_series_go_at_the_latest_an_interval_after_they_may() {
        let (clock, hand) = Clock::manual();
        let registry = Registry::new();
        let start = clock.now();
        let (short, long) = (
            family(&registry, "a_total", 20),
            family(&registry, "b_total", 600),
        );
        short.inc(&["x"]);
        long.inc(&["x"]);
        let mut gone_at = [None, None];
        run(&registry, &clock, |interval| {
            assert_eq!(interval, Duration::from_secs(5));
            let passed = clock.now() - start;
            for (gone_at, family) in gone_at.iter_mut().zip([&short, &long]) {
                if family.is_empty() && gone_at.is_none() {
                    *gone_at = Some(passed.as_secs());
                }
            }
            hand.advance(interval);
            passed.as_secs() < 700
        });
        assert_eq!(gone_at, [Some(25), Some(605)]);
    }

    #[test]
    fn nothing_runs_before_a_family_expires_and_then_one_thread_for_all() {
        let registry = Registry::new();
        let (started, seen) = channel();
        registry.when_expiring(move |_| started.send(()).unwrap());
        registry.counter("a_total", "").build().unwrap();
        assert!(seen.try_recv().is_err());
        family(&registry, "b_total", 1);
        family(&registry, "c_total", 1);
        assert_eq!(seen.try_iter().count(), 1, "one thread for all");
    }
}
