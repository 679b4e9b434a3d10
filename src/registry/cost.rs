//! The cost of collectors, and how a slow one is kept from delaying scrapes.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::collector::{Collecting, Collector};
use super::snapshot::FamilySnapshot;

/// A collector that took this long is not waited for again: later scrapes get its previous result,
/// while it runs on a separate thread. Servers scrape with timeouts of ten seconds and less.
const SLOW: Duration = Duration::from_secs(1);

/// Duration and failures of one collector's runs.
pub(super) struct Cost {
    /// The duration from which it is slow.
    limit: Duration,
    runs: AtomicU64,
    /// Duration of the last run, in nanoseconds.
    nanos: AtomicU64,
    errors: AtomicU64,
    slow: Mutex<Option<Slow>>,
}

/// A collector that is not waited for.
struct Slow {
    last: Vec<FamilySnapshot>,
    is_running: bool,
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            limit: SLOW,
            runs: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            slow: Mutex::new(None),
        }
    }
}

impl Cost {
    /// The series of the collector; `None` if it panicked.
    pub(super) fn collect(
        self: &Arc<Self>,
        collector: &Arc<dyn Collector>,
        registry: usize,
    ) -> Option<Vec<FamilySnapshot>> {
        let mut slow = self.slow.lock();
        if let Some(slow) = &mut *slow {
            let last = slow.last.clone();
            if !slow.is_running {
                slow.is_running = self.run_apart(collector, registry);
            }
            return Some(last);
        }
        drop(slow);
        let (out, took) = self.run(&**collector);
        if took >= self.limit {
            *self.slow.lock() = Some(Slow {
                last: out.clone().unwrap_or_default(),
                is_running: false,
            });
        }
        out
    }

    /// Runs it on a separate thread, if one can be started.
    fn run_apart(self: &Arc<Self>, collector: &Arc<dyn Collector>, registry: usize) -> bool {
        let (cost, collector) = (Arc::clone(self), Arc::clone(collector));
        let thread = thread::Builder::new().name("selfheal-collect".to_owned());
        let spawned = thread.spawn(move || {
            let _inside = Collecting::enter(registry);
            let (out, took) = cost.run(&*collector);
            let mut slow = cost.slow.lock();
            if took < cost.limit {
                // Fast again: scrapes wait for it from the next one on.
                *slow = None;
            } else if let Some(slow) = &mut *slow {
                slow.is_running = false;
                slow.last = out.unwrap_or_default();
            }
        });
        spawned.is_ok()
    }

    fn run(&self, collector: &dyn Collector) -> (Option<Vec<FamilySnapshot>>, Duration) {
        // Wall time: how long a scrape waits does not depend on the injected clock.
        let start = Instant::now();
        let mut out = Vec::new();
        let done = catch_unwind(AssertUnwindSafe(|| collector.collect(&mut out)));
        let took = start.elapsed();
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.store(nanos, Ordering::Relaxed);
        self.runs.fetch_add(1, Ordering::Relaxed);
        if done.is_err() {
            self.errors.fetch_add(1, Ordering::Relaxed);
        }
        (done.is_ok().then_some(out), took)
    }

    fn has_run(&self) -> bool {
        self.runs.load(Ordering::Relaxed) > 0
    }
}

/// The last duration of each collector in seconds and its errors, by name; collectors of one name
/// are summed.
pub(super) fn by_name<'c>(
    costs: impl IntoIterator<Item = (&'c str, &'c Cost)>,
) -> BTreeMap<String, (f64, u64)> {
    let mut all: BTreeMap<String, (f64, u64)> = BTreeMap::new();
    for (name, cost) in costs {
        if cost.has_run() {
            let (seconds, errors) = all.entry(name.to_owned()).or_default();
            let last = Duration::from_nanos(cost.nanos.load(Ordering::Relaxed));
            *seconds += last.as_secs_f64();
            *errors += cost.errors.load(Ordering::Relaxed);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::catalog::{Kind, MetricDef};
    use crate::registry::{Registry, SeriesSnapshot, Value, snapshot::Number};

    /// Waits for a value, and yields it.
    struct Waits(Mutex<Receiver<Option<u64>>>);

    fn def() -> MetricDef {
        let mut def = MetricDef::new(Kind::Gauge, "depth", "");
        def.group = "waits";
        def
    }

    impl Collector for Waits {
        fn describe(&self) -> Vec<MetricDef> {
            vec![def()]
        }

        fn collect(&self, out: &mut Vec<FamilySnapshot>) {
            let n = self.0.lock().recv().unwrap().expect("asked to panic");
            out.push(FamilySnapshot {
                def: Arc::new(def()),
                series: vec![SeriesSnapshot::new([], Value::Number(Number::U64(n)))],
            });
        }
    }

    fn waits() -> (Sender<Option<u64>>, Arc<dyn Collector>) {
        let (send, receive) = channel();
        (send, Arc::new(Waits(Mutex::new(receive))))
    }

    #[test]
    fn a_slow_collector_keeps_no_scrape_waiting_but_the_first() {
        let (send, collector) = waits();
        let cost = Arc::new(Cost {
            limit: Duration::ZERO,
            ..Cost::default()
        });
        let value = || {
            let taken = cost.collect(&collector, 0).unwrap();
            taken.first().map(|family| family.series[0].value.clone())
        };
        let number = |n| Some(Value::Number(Number::U64(n)));
        send.send(Some(1)).unwrap();
        assert_eq!(value(), number(1));
        for _ in 0..3 {
            assert_eq!(value(), number(1), "it waits, and the scrape does not");
        }
        send.send(Some(2)).unwrap();
        while cost.runs.load(Ordering::Relaxed) < 2 {
            thread::yield_now();
        }
        let mut last = value();
        while last != number(2) {
            last = value();
        }
        // The run that has started meanwhile panics: it yields nothing and is counted.
        send.send(None).unwrap();
        while value().is_some() {}
        assert_eq!(cost.errors.load(Ordering::Relaxed), 1);
        drop(send);
    }

    #[test]
    fn what_collectors_cost_is_exposed_by_group_and_errors_are_counted() {
        let registry = Registry::new();
        let (send, collector) = waits();
        registry.collect_from(collector).unwrap();
        send.send(Some(1)).unwrap();
        let value = |name: &str| crate::testing::value(&registry, name, &[("collector", "waits")]);
        assert!(value("collector_duration_seconds").is_some_and(|seconds| seconds < 60.0));
        send.send(None).unwrap();
        assert_eq!(value("collector_errors_total"), Some(1.0));
        send.send(Some(3)).unwrap();
        assert_eq!(crate::testing::value(&registry, "depth", &[]), Some(3.0));
    }
}
