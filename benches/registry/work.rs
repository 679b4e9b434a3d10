//! How a piece of work is timed.

use std::any::Any;
use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use crate::labels::{Values, many};

/// Does its work so many times and says how long that took.
pub(crate) type Run = Box<dyn FnMut(u64) -> Duration>;

/// Times a loop that is written out in the closure, so that nothing but the work is in it.
pub(crate) fn timed(mut work: impl FnMut(u64) + 'static) -> Run {
    Box::new(move |times| {
        let start = Instant::now();
        work(times);
        start.elapsed()
    })
}

/// Two threads do the same at the same time; the time is that of one operation of one thread.
pub(crate) fn on_two_threads<T: Send + Sync + 'static>(
    shared: T,
    work: impl Fn(&T, u64) + Send + Sync + Copy + 'static,
) -> Run {
    let shared = Arc::new(shared);
    Box::new(move |times| {
        let start = Arc::new(Barrier::new(2));
        let threads = [(); 2].map(|()| {
            let (shared, start) = (Arc::clone(&shared), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                let begin = Instant::now();
                work(&shared, times);
                begin.elapsed()
            })
        });
        threads
            .map(|thread| thread.join().unwrap())
            .into_iter()
            .max()
            .unwrap()
    })
}

/// Counts one time after another.
pub(crate) fn counting(inc: impl Fn() + 'static) -> Run {
    timed(move |times| {
        for _ in 0..times {
            inc();
        }
    })
}

/// The same as two threads do it at the same time.
pub(crate) fn counting_on_two_threads<T: Send + Sync + 'static>(
    counter: T,
    inc: impl Fn(&T) + Send + Sync + Copy + 'static,
) -> Run {
    on_two_threads(counter, move |counter, times| {
        for _ in 0..times {
            inc(counter);
        }
    })
}

/// Observes one value after another.
pub(crate) fn observing(observe: impl Fn(f64) + 'static) -> Run {
    let values = Values::new();
    timed(move |times| values.each(times, &observe))
}

/// The same as two threads do it at the same time.
pub(crate) fn observing_on_two_threads<T: Send + Sync + 'static>(
    histogram: T,
    observe: impl Fn(&T, f64) + Send + Sync + Copy + 'static,
) -> Run {
    on_two_threads(
        (histogram, Values::new()),
        move |(histogram, values), times| {
            values.each(times, |value| observe(histogram, value));
        },
    )
}

/// Makes so many series; what it returns keeps them.
pub(crate) type Create = fn(&many::Texts, usize) -> Box<dyn Any>;

/// Millions of series a second, the median of three.
pub(crate) fn creation_rate(create: Create) -> f64 {
    const COUNT: usize = 1_000_000;
    let texts = many::Texts::shared();
    let mut rates = [(); 3].map(|()| {
        let start = Instant::now();
        let series = black_box(create(&texts, COUNT));
        let rate = COUNT as f64 / start.elapsed().as_secs_f64() / 1e6;
        drop(series);
        rate
    });
    rates.sort_by(f64::total_cmp);
    rates[1]
}

/// The heap that is held for each of `count` series, texts and index included.
pub(crate) fn heap_per_series(create: Create, texts: &many::Texts, count: usize) -> f64 {
    // The first call may set up shared state.
    drop(create(texts, 1));
    let mut series = None;
    let measured = allocation_counter::measure(|| series = Some(create(texts, count)));
    drop(series);
    measured.bytes_current as f64 / count as f64
}
