//! Any expression on any series: ours against a real Prometheus 3, value by value.
//!
//! `TEST_SEED` repeats a run; `TEST_CASES` sets how many expressions are tried.
//! `TEST_EXPRESSION` and `TEST_TIME`, in milliseconds, show both answers to one.

mod compare;
mod expressions;
mod live;
mod rare;
mod remote;
mod series;

use selfheal::promql::{Query, QueryOptions, QueryRange};

use super::support::prometheus::Prometheus;

/// A generator of numbers, the same for the same seed.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below a bound.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let at = usize::try_from(self.below(choices.len() as u64)).unwrap();
        choices[at]
    }

    /// From 0 to 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
#[ignore = "needs a Prometheus 3: run `tests/all.sh prometheus3`"]
fn random_expressions_on_random_series_agree_with_prometheus_3() {
    let seed = setting("TEST_SEED", 15);
    let cases = setting("TEST_CASES", 2_000);
    println!("TEST_SEED={seed} TEST_CASES={cases}");
    let server = Prometheus::builder()
        .native_histograms()
        .experimental_functions()
        .remote_write()
        .start();
    if server.major_version() < 3 {
        println!("missing: a Prometheus 3");
        return;
    }
    let mut random = Random(seed);
    let series = series::random(&mut random);
    remote::write(&server, &series);
    if let Ok(expression) = std::env::var("TEST_EXPRESSION") {
        let time = i64::try_from(setting("TEST_TIME", 0)).unwrap();
        let query = Query::parse(&expression).unwrap();
        println!(
            "ours {:?}",
            query.instant(&series[..], time, &QueryOptions::default())
        );
        println!(
            "theirs {:?}",
            server.try_query_at(&expression, time as f64 / 1_000.0)
        );
        return;
    }
    let mut differences = Vec::new();
    let (mut values, mut faults, mut natives) = (0, 0, 0);
    for _ in 0..cases {
        let mut expression = expressions::vector(&mut random, 3);
        if expression.contains("timestamp(") {
            // There, Prometheus ignores an offset besides a fixed time.
            expression = expression.replace(" offset 2m @", " @");
        }
        natives += usize::from(expressions::reads_native(&expression));
        let time = series::START + i64::try_from(random.below(4_500)).unwrap() * 1_000;
        let is_range = random.once_in(4);
        let range = QueryRange {
            start: time,
            end: time + 600_000,
            step: random.pick(&[15_000, 37_000, 60_000]),
        };
        let options = QueryOptions::default();
        let ours = Query::parse(&expression).and_then(|query| {
            if is_range {
                query.range(&series[..], range, &options)
            } else {
                query.instant(&series[..], time, &options)
            }
        });
        let theirs = if is_range {
            let seconds = |millis: i64| millis as f64 / 1_000.0;
            let (start, end) = (seconds(range.start), seconds(range.end));
            server.try_query_range(&expression, start, end, seconds(range.step))
        } else {
            server.try_query_at(&expression, time as f64 / 1_000.0)
        };
        // There, labels are written for all steps at once, so that series of different ones conflict.
        let conflicts = matches!(&theirs, Err(error) if error.contains("same labelset"));
        if is_range && conflicts && expression.contains("label_") {
            continue;
        }
        let is_sorted = !is_range && expression.starts_with("sort");
        match compare::answers(ours, theirs, is_sorted) {
            Ok(compared) => {
                values += compared;
                faults += usize::from(compared == 0);
            }
            Err(difference) => {
                let at = if is_range {
                    format!("{range:?}")
                } else {
                    time.to_string()
                };
                differences.push(format!("{expression}\n  at {at}: {difference}"));
            }
        }
    }
    println!(
        "{cases} expressions, {natives} of them on native histograms, {values} values compared, \
         {faults} without one"
    );
    assert!(natives > 0 || cases < 100, "none reads native histograms");
    assert!(
        differences.is_empty(),
        "{} of {cases} differ:\n{}",
        differences.len(),
        differences[..differences.len().min(20)].join("\n")
    );
}
