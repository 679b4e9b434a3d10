//! A scrape holds no lock in the middle of a family or of a series: every other operation on the
//! registry is run at that point, on the same thread, which would deadlock otherwise.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;

use super::*;
use crate::registry::storage::OVERFLOW;
use crate::util::ManualClock;

/// A family of each kind.
struct Shop {
    registry: Registry,
    clock: Clock,
    hand: ManualClock,
    sold: Family<Counter, [Text; 1]>,
    sold_last: Counter,
    took: Family<Histogram, [Text; 1]>,
    open: Family<StateSet<bool>, [Text; 1]>,
    stock: Family<Gauge, [Text; 1]>,
    queue: Family<GaugeFn, [Text; 1]>,
    hot: Family<StripedCounter, [Text; 1]>,
    sessions: Family<Counter, [Text; 1]>,
    full: Family<Counter, [Text; 1]>,
    done: AtomicUsize,
}

impl Shop {
    fn new() -> Result<Self, DeclareError> {
        let (clock, hand) = Clock::manual();
        let mut settings = Settings {
            metrics: crate::config::Metrics::new().created_times(true),
            ..Settings::default()
        };
        let few = FamilySettings {
            max_series: Some(2),
            ..FamilySettings::default()
        };
        settings.metrics.family.insert("full_total".to_owned(), few);
        let registry = Registry::with_clock(settings, clock.clone());
        let sold: Family<Counter, [Text; 1]> =
            registry.counter("sold_total", "").labels(["shop"])?;
        let shop = Self {
            sold_last: sold.with(&["c"]),
            sold,
            took: registry.histogram("took_seconds", "").labels(["shop"])?,
            open: registry.state_set("open", "").labels(["shop"])?,
            stock: registry.gauge("stock", "").labels(["shop"])?,
            queue: registry.gauge_fns("queue", "").labels(["shop"])?,
            hot: registry
                .counter("hot_total", "")
                .striped()
                .labels(["shop"])?,
            sessions: registry
                .counter("sessions_total", "")
                .expire_after(Duration::from_nanos(1))
                .labels(["shop"])?,
            full: registry.counter("full_total", "").labels(["shop"])?,
            registry,
            clock,
            hand,
            done: AtomicUsize::new(0),
        };
        for name in ["a", "b", "c"] {
            shop.record(name);
        }
        Ok(shop)
    }

    /// Records in every family under this name.
    fn record(&self, name: &str) {
        let trace = |labels: &mut ExemplarLabels| labels.push("trace_id", "4bf92f3577b34da6");
        self.sold.inc_with_exemplar(&[name], trace);
        self.sold_last.inc();
        self.took.observe_with_exemplar(&[name], 0.3, trace);
        self.open.set(&[name], true);
        self.stock.set(&[name], 3);
        self.queue.set(&[name], || 5.0);
        self.hot.inc(&[name]);
        self.sessions.inc(&[name]);
        self.full.inc(&[name]);
    }

    /// Runs every operation, partly under unused names.
    fn everything(&self) {
        self.nothing_is_locked();
        let done = self.done.fetch_add(1, Ordering::Relaxed);
        self.record("a");
        self.record("c");
        let new = format!("new {done}");
        self.record(&new);
        assert!(self.sold.remove(&["b"]));
        self.sold.inc(&["b"]);
        assert!(self.queue.clear(&[new.as_str()]));
        assert_eq!(
            self.took
                .remove_matching(|labels| labels.get("shop").as_deref() == Some(&new)),
            1
        );
        assert_eq!(
            self.sessions
                .retain(|labels, _| !labels.as_str().contains("new")),
            1
        );
        self.hand.advance(Duration::from_nanos(2));
        self.registry.expire(self.clock.now());
        self.registry.configure((*self.registry.settings()).clone());
        let name: &'static str = format!("later_{done}_total").leak();
        self.registry.counter(name, "").build().unwrap().inc();
    }

    /// Locks by `try_write`, which reports more than a deadlocked thread.
    fn nothing_is_locked(&self) {
        let inner = &self.registry.inner;
        assert!(inner.settings.try_write().is_some());
        assert!(inner.families.try_write().is_some());
        assert!(inner.collectors.try_write().is_some());
    }
}

/// Runs `work`, which could hang, and fails after a minute.
pub(in crate::registry) fn comes_to_an_end(work: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    assert!(
        is_done.recv_timeout(Duration::from_secs(60)) != Err(mpsc::RecvTimeoutError::Timeout),
        "it waits for what its own thread holds"
    );
    thread.join().unwrap();
}

#[test]
fn everything_goes_on_in_the_middle_of_a_scrape() {
    comes_to_an_end(|| {
        let shop = Shop::new().unwrap();
        let scrape = shop.registry.scrape();
        let mut series = 0;
        for family in scrape.families() {
            let mut next = Some(0);
            while let Some(from) = next {
                next = family.each_from(from, &mut |_, sample| {
                    // While the visitor holds the sample; then the visit stops and resumes at the
                    // next series.
                    shop.everything();
                    series += 1;
                    std::hint::black_box(sample);
                    ControlFlow::Break(())
                });
                shop.everything();
            }
        }
        let full = scrape.families().iter().find(|f| f.name() == "full_total");
        let mut names = Vec::new();
        full.unwrap()
            .each(&mut |labels, _| names.push(labels.to_owned()));
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(names[2].contains(OVERFLOW));
        // Of eight families with three series each, some series were removed or expired before they
        // were read.
        assert!((20..30).contains(&series), "{series}");
        drop(scrape);
        let expired = value(
            &shop.registry,
            "selfheal_series_expired_total",
            r#"metric="sessions_total""#,
        );
        assert!(expired > Some(0.0), "{expired:?}");
        let later = shop.done.load(Ordering::Relaxed);
        assert_eq!(shop.registry.gather().len(), 8 + 2 + later);
    });
}

#[test]
fn an_exemplar_is_taken_in_the_middle_of_a_scrape() {
    comes_to_an_end(|| {
        let shop = Shop::new().unwrap();
        // Offering never waits: the exemplar is stored only if the lock is free.
        let scrape = shop.registry.scrape();
        let mut taken = 0;
        let family = |name| scrape.families().iter().find(|f| f.name() == name).unwrap();
        family("sold_total").each(&mut |labels, _| {
            if labels.contains("\"a\"") {
                shop.sold
                    .inc_with_exemplar(&["a"], |labels| labels.push("trace_id", "new"));
                taken += 1;
            }
        });
        family("took_seconds").each(&mut |labels, _| {
            if labels.contains("\"a\"") {
                shop.took.observe_with_exemplar(&["a"], 0.3, |labels| {
                    labels.push("trace_id", "new");
                });
                taken += 1;
            }
        });
        assert_eq!(taken, 2);
        let new = "trace_id=\"new\"";
        let sold = &shop.sold.snapshot().series[1];
        assert_eq!(sold.exemplar.as_ref().unwrap().labels(), new, "{sold:?}");
        let took = shop.took.with(&["a"]).snapshot();
        assert_eq!(took.exemplars[0].labels(), new);
    });
}
