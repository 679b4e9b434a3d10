use std::task::Waker;

use super::*;
use crate::registry::{Family, Gauge, Text};

/// A test that takes longer has failed.
const LONG: Duration = Duration::from_secs(60);

fn large(megabytes: usize) -> Registry {
    let settings = crate::registry::Settings {
        metrics: crate::config::Metrics::new().max_series_per_family(1_000_000),
        ..Default::default()
    };
    let registry = Registry::with_settings(settings);
    let family: Family<Gauge, [Text; 1]> = registry.gauge("depth", "").labels(["queue"]).unwrap();
    for n in 0..megabytes * 5_000 {
        family.set(&[format!("{n:0>190}")], 1);
    }
    registry
}

/// A reader that leaves also if the test fails, since the writing thread would wait for it.
struct Joined(Arc<Pages>, Place);

impl Drop for Joined {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}

/// A page that no other scrape shares.
fn page(number: usize) -> Page {
    let query = format!("name[]=depth&name[]={number}");
    Page {
        content: Content::Own(Selection::of_query(Some(&query)).unwrap()),
        format: Format::TEXT,
        encoding: Encoding::Identity,
    }
}

fn join(pages: &Arc<Pages>, registry: &Registry, number: usize, whole: bool) -> Option<Joined> {
    let place = pages.join(registry, &page(number), whole).ok()?;
    Some(Joined(Arc::clone(pages), place))
}

impl Pages {
    fn held(&self) -> usize {
        self.state.lock().logs.values().map(Log::bytes).sum()
    }
}

impl Joined {
    async fn begun(&self) -> Result<Option<usize>, Failure> {
        let begin = std::future::poll_fn(|cx| self.0.poll_begin(self.1, cx));
        timeout(LONG, begin).await.unwrap()
    }

    async fn take(&self) -> Part {
        let take = std::future::poll_fn(|cx| self.0.poll_take(self.1, cx));
        timeout(LONG, take).await.unwrap()
    }

    /// Reads to the end; returns the number of bytes, or why it failed.
    async fn read(&self) -> Result<usize, Failure> {
        let mut bytes = 0;
        loop {
            match self.take().await {
                Part::Chunk(chunk) => bytes += chunk.len(),
                Part::End => return Ok(bytes),
                Part::Cut(failure) => return Err(failure),
            }
        }
    }

    fn is_slow(&self) -> bool {
        let take = self
            .0
            .poll_take(self.1, &Context::from_waker(Waker::noop()));
        matches!(take, Poll::Ready(Part::Cut(Failure::Slow)))
    }
}

/// In real time, since blocking threads do not use virtual time.
#[tokio::test]
async fn of_readers_that_take_nothing_little_is_held_and_no_one_waits_for_long() {
    let registry = large(6);
    let pages = Pages::new(&registry);
    let mut hostile = Vec::new();
    for number in 0..10 {
        let place = join(&pages, &registry, number, false).unwrap();
        // The first have their whole page; four of the others have a turn.
        if number < 8 {
            assert_eq!(place.begun().await, Ok(None));
        }
        hostile.push(place);
    }
    for number in 0..3 {
        let honest = join(&pages, &registry, 100 + number, false).unwrap();
        let start = std::time::Instant::now();
        assert!(honest.read().await.unwrap() > 6_000_000);
        assert!(start.elapsed() < 8 * SLOW, "{:?}", start.elapsed());
        assert!(pages.held() <= HELD + AT_ONCE * OWN, "{}", pages.held());
        assert!(pages.alive.load(Ordering::Relaxed) <= HELD + (AT_ONCE + 1) * OWN);
    }
    assert!(hostile.iter().any(Joined::is_slow), "the slow gave way");
    drop(hostile);
    let end = std::time::Instant::now() + LONG;
    while pages.alive.load(Ordering::Relaxed) > 0 {
        assert!(std::time::Instant::now() < end, "all of it is let go");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_slow_reader_of_a_shared_page_costs_only_itself() {
    let registry = large(40);
    let pages = Pages::new(&registry);
    let slow = join(&pages, &registry, 0, false).unwrap();
    let fast = join(&pages, &registry, 0, false).unwrap();
    assert_eq!(slow.1.log, fast.1.log);
    assert!(fast.read().await.unwrap() > 40_000_000);
    assert!(slow.is_slow());
}

#[tokio::test]
async fn a_page_is_kept_whole_up_to_a_length() {
    for (megabytes, whole) in [(10, true), (20, false)] {
        let registry = large(megabytes);
        let pages = Pages::new(&registry);
        let place = join(&pages, &registry, 0, true).unwrap();
        match place.begun().await {
            Ok(length) => assert_eq!((whole, place.read().await.ok()), (true, length)),
            Err(failure) => assert_eq!((whole, failure), (false, Failure::Large)),
        }
    }
}

#[tokio::test]
async fn beyond_what_was_taken_and_never_sent_no_page_is_begun() {
    let registry = large(6);
    let pages = Pages::new(&registry);
    let mut unsent = Vec::new();
    for number in 0..20 {
        let Some(place) = join(&pages, &registry, number, false) else {
            break;
        };
        while let Part::Chunk(chunk) = place.take().await {
            unsent.push(chunk);
        }
    }
    let alive = pages.alive.load(Ordering::Relaxed);
    assert!(alive > MOST && alive <= MOST + 8_000_000, "{alive}");
    assert!(join(&pages, &registry, 99, false).is_none());
    unsent.clear();
    let place = join(&pages, &registry, 99, false).unwrap();
    assert!(place.read().await.is_ok());
}

#[tokio::test]
async fn a_page_that_is_not_written_to_its_end_is_no_whole_one() {
    let registry = Registry::new();
    let pages = Pages::new(&registry);
    let place = join(&pages, &registry, 0, false).unwrap();
    // The state of the writer after a collector's panic, or the end of the runtime.
    pages.end(place.1.log, false);
    assert_eq!(place.begun().await, Err(Failure::Failed));
    assert!(matches!(place.take().await, Part::Cut(Failure::Failed)));
}
