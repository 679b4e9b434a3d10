//! What the whole set of collectors costs: the process, the machine, its container, the service, the
//! async runtime, health and the score, as a handle with the default configuration has them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use selfheal::encode::{Format, append};
use selfheal::{Config, Selfheal};
use selfheal_benches::{Line, processor_time};

const INTERVAL: Duration = Duration::from_secs(15);

pub(crate) fn lines(wanted: &dyn Fn(&str) -> bool) -> Vec<Line> {
    const NAME: &str = "collect";
    if !wanted(NAME) {
        return Vec::new();
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let heal = Selfheal::new(Config::new()).unwrap();
    heal.built_from(selfheal::build_info!()).unwrap();
    let mut page = Vec::new();
    let mut scrape = || {
        page.clear();
        black_box(append(&heal.registry().scrape(), Format::TEXT, &mut page));
    };
    // The first run opens files that the next ones read again.
    scrape();
    let each = processor_time_of(100, &mut scrape);
    // The machine is sampled on a thread of its own, every five seconds: three times an interval.
    let (before, began) = (processor_time(), Instant::now());
    std::thread::sleep(INTERVAL);
    scrape();
    let spent = processor_time().saturating_sub(before);
    let share = spent.as_secs_f64() / began.elapsed().as_secs_f64() * 100.0;
    let line = |work: &str, unit, figure| Line::new(work, unit, [("selfheal", figure)]);
    vec![
        line(
            "collect: one scrape of all collectors",
            "µs",
            each.as_secs_f64() * 1e6,
        ),
        line(
            "collect: all collectors, engine and samples of the machine, a scrape every 15 s",
            "% of a core",
            share,
        )
        .target("≤ 0.5 %"),
    ]
}

fn processor_time_of(times: u32, mut work: impl FnMut()) -> Duration {
    let before = processor_time();
    (0..times).for_each(|_| work());
    processor_time().saturating_sub(before) / times
}
