//! Contenders that take turns.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

/// Something to measure: does its work so many times and says how long that took.
pub struct Contender {
    /// Its name.
    pub name: &'static str,
    work: Box<dyn Fn(u32) -> Took>,
}

type Took = Pin<Box<dyn Future<Output = Duration>>>;

impl Contender {
    /// A contender that does `work`.
    pub fn new<F>(name: &'static str, work: impl Fn(u32) -> F + 'static) -> Self
    where
        F: Future<Output = Duration> + 'static,
    {
        let work = Box::new(move |times| Box::pin(work(times)) as _);
        Self { name, work }
    }

    /// Does the work. This allocates once, for the future.
    pub async fn run(&self, times: u32) -> Duration {
        (self.work)(times).await
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The median nanoseconds of each contender for one piece of its work.
///
/// They take turns, so that what else the machine does meets all of them alike. One after the
/// other, as criterion measures, would on a shared machine compare the minutes more than the
/// contenders.
pub async fn take_turns(contenders: &[Contender], rounds: usize, times: u32) -> Vec<f64> {
    const WARM_UP: usize = 10;
    let mut turns = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds + WARM_UP {
        for (contender, turns) in contenders.iter().zip(&mut turns) {
            let took = contender.run(times).await;
            if round >= WARM_UP {
                turns.push(took.as_nanos() as f64 / f64::from(times));
            }
        }
    }
    turns
        .iter_mut()
        .map(|turns| {
            turns.sort_by(f64::total_cmp);
            turns[turns.len() / 2]
        })
        .collect()
}

/// The contender that `--only NAME [TIMES]` asks for, and how often: its work alone is done, for
/// a profiler to watch.
#[must_use]
pub fn only(contenders: &[Contender]) -> Option<(&Contender, u32)> {
    let (name, times) = asked_only()?;
    let one = contenders.iter().find(|contender| contender.name == name)?;
    Some((one, times))
}

/// The argument `--only NAME [TIMES]`.
#[must_use]
pub fn asked_only() -> Option<(String, u32)> {
    let mut args = std::env::args().skip_while(|arg| arg != "--only").skip(1);
    let name = args.next()?;
    let times = args.next().and_then(|times| times.parse().ok());
    Some((name, times.unwrap_or(20_000)))
}
